//! The text of `--dsu-help`.

use super::Language;
use crate::toolchain::MAJOR;

const TEXT: &str = "\
WRAPPER: CLANG that makes programs updatable while they run

Usage: WRAPPER [--dsu-FLAG...] [any argument of clang NN...]

Compiles and links exactly as clang does, and adds what live updates need: redirectable function
entries, the record patches are built from, the runtime and a build-id. What cannot be made
updatable is plain clang's, and the log says why.

Flags (environment; a flag wins):
  --dsu-dispatch=armed|always  (DSU_DISPATCH)  how calls find the newest version. armed (default):
                               costs nothing until a patch arrives, which then writes two bytes of
                               the function; always: program text is never written
  --dsu-list=FILE              (DSU_LIST)    what to leave alone: LLVM special-case list
  --dsu-points=FILE            (DSU_POINTS)  adds to, and takes away from, the places found where
                               threads wait for work and may move to a newer version; a line is a
                               function to put a point before each call of, thread:FUNCTION where a
                               thread starts, -FUNCTION (-* for all) or -FUNCTION:CALLEE to find
                               nothing there
  --dsu-outline-loops=on|off   (DSU_OUTLINE_LOOPS)  make the body of a loop that waits for work a
                               function, FUNCTION.dsu_loop, so that its next iteration is the newest
                               one; on where the frame allows it (default), or off
  --dsu-log=FILE               (DSU_LOG)     append what was skipped or passed through, and where
                               threads may move and where not, each with the reason
  --dsu-verbose                say so on standard error, with the command that runs
  --dsu-help                   this text
Environment only:
  DSU_CLANG=PATH               the clang NN to use; else clang-NN, else clang, from PATH
  DSU_DISABLE=1                plain clang

Examples:
  CC=dsu-cc CXX=dsu-c++ ./configure && make
  cmake -DCMAKE_C_COMPILER=dsu-cc -S . -B build
  CC=\"ccache dsu-cc\" DSU_LOG=$PWD/dsu.log make
  dsu-cc --dsu-dispatch=always -O2 -pthread server.c -o server
  printf 'fun:hot_loop\\nsrc:vendor/*\\n' >keep.list; dsu-cc --dsu-list=keep.list -O2 -c a.c

Exit status: clang's; 1 if the toolchain is incomplete, 2 if a --dsu flag or DSU_ value is wrong.
";

/// The help of one of the wrappers.
pub(crate) fn text(language: Language) -> String {
    let clang = match language {
        Language::C => "clang",
        Language::Cxx => "clang++",
    };
    TEXT.replace("WRAPPER", language.wrapper()).replace("CLANG ", &format!("{clang} ")).replace("NN", MAJOR)
}
