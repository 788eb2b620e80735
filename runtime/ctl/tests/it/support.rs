//! A base program with stubs made by hand, and patches for it made with the writer of the formats crate: the runtime
//! is tested without compiler plugin and patchgen.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;

use dsu_abi::patch::{
    CHECKSUM_OFFSET, CarriedVariable, Consistency, Hooks, MANIFEST_SECTION, PatchFunction, PatchRelocation,
    PatchTables, RelocationKind, SECTION,
};
use dsu_abi::stub::Dispatch;
use object::{Object, ObjectSection, ObjectSymbol};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// What the hand-made functions are called, how they dispatch, where they are armed, and their ids.
const FUNCTIONS: [(&str, Dispatch, u8, u64); 4] = [
    ("first", Dispatch::Armed, 0, 0x1122_3344_5566_7788),
    ("second", Dispatch::Armed, 4, 0x99),
    ("third", Dispatch::Always, 0, 0),
    ("hold", Dispatch::Armed, 0, 0x77),
];

pub(crate) fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {}\n{stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The runtime as it is delivered.
pub(crate) fn library() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| library_of(&["--release"], "release/libdsu.a")).clone()
}

/// The runtime, built by cargo: it is no dependency of dsuctl that cargo could have built for us.
pub(crate) fn library_of(profile: &[&str], file: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_dsuctl")).ancestors().nth(2).expect("target/PROFILE/dsuctl");
    let mut cargo = Command::new(env!("CARGO"));
    run(cargo.args(["build", "--quiet", "-p", "dsu-runtime"]).args(profile).arg("--target-dir").arg(target));
    target.join(file)
}

/// A directory with a base program, its sockets, and patches.
pub(crate) struct Lab {
    pub(crate) dir: TempDir,
    pub(crate) program: PathBuf,
}

impl Lab {
    /// Builds the base program with extra compiler arguments.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let dir = TempDir::new().expect("temporary directories can be made");
        let program = dir.path().join("base");
        let mut clang = Command::new("clang-19");
        clang.args(["-O2", "-pthread", "-ftls-model=initial-exec", "-Wl,--build-id=sha1", "-Wl,-u,__dsu_runtime"]);
        clang.arg("-I").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../include"));
        clang.args(arguments).arg(programs().join("base.c")).arg(library()).arg("-o").arg(&program);
        run(&mut clang);
        fs::create_dir(dir.path().join("sockets")).expect("ours");
        run(Command::new("chmod").arg("700").arg(dir.path().join("sockets")));
        Self { dir, program }
    }

    pub(crate) fn sockets(&self) -> PathBuf {
        self.dir.path().join("sockets")
    }

    /// Starts the program; `prefix` may be another program to start it with.
    pub(crate) fn start(&self) -> Process {
        self.start_with(&mut Command::new(&self.program))
    }

    pub(crate) fn start_with(&self, command: &mut Command) -> Process {
        command.env("DSU_RUNTIME_DIR", self.sockets());
        Process::start(command)
    }

    /// Runs dsuctl.
    pub(crate) fn dsuctl(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsuctl"));
        command.args(arguments).env("DSU_RUNTIME_DIR", self.sockets()).env("NO_COLOR", "1");
        command.output().expect("dsuctl was just built")
    }

    /// Runs dsuctl, which must succeed, for its JSON document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.dsuctl(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("--json prints JSON")
    }

    /// Runs dsuctl, which must fail: its exit code and the one line it says.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.dsuctl(arguments);
        let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        assert_eq!(said.lines().count(), 1, "{arguments:?} must say one line: {said}");
        (output.status.code().expect("not killed"), said)
    }

    pub(crate) fn tables(&self) -> Tables {
        Tables::of(&self.program)
    }

    /// Writes a patch object; `change` may spoil the tables, `spoil` the finished file.
    pub(crate) fn patch(&self, name: &str, defines: &[&str], change: impl FnOnce(&mut Tables)) -> PathBuf {
        let object = self.dir.path().join(format!("{name}.so"));
        let mut clang = Command::new("clang-19");
        clang.args(["-O2", "-fPIC", "-shared", "-fuse-ld=lld", "-Wl,-z,norelro", "-Wl,-z,now", "-nostartfiles"]);
        clang.arg("-Wl,-Bsymbolic");
        run(clang.args(defines).arg(programs().join("patch.c")).arg("-o").arg(&object));
        let mut tables = self.tables();
        tables.name = name.to_owned();
        change(&mut tables);
        let file = self.dir.path().join(format!("{name}.dsu"));
        write_patch(&object, &file, &tables);
        file
    }
}

/// A function of the base as a patch describes it.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) entry: u64,
    pub(crate) size: u32,
    pub(crate) slot: u64,
    pub(crate) id: u64,
    pub(crate) entry_bytes: [u8; 2],
    pub(crate) dispatch: Dispatch,
    pub(crate) arm_offset: u8,
}

impl Function {
    /// Behind what arming overwrites, or behind the jump of dispatch `always`.
    fn past(&self) -> u64 {
        match self.dispatch {
            Dispatch::Armed => self.entry + u64::from(self.arm_offset) + 2,
            Dispatch::Always => self.entry + 6,
        }
    }
}

/// What a patch says of the base, before it is written.
pub(crate) struct Tables {
    pub(crate) name: String,
    pub(crate) build_id: Vec<u8>,
    pub(crate) machine: u16,
    pub(crate) consistency: Consistency,
    pub(crate) functions: Vec<Function>,
    pub(crate) counter: u64,
    pub(crate) tls_counter: u64,
    /// Shape of the variable that a patch with trampolines adds.
    pub(crate) shape: u64,
    /// Function of a patch with trampolines that is asked before it is applied; empty for none.
    pub(crate) pre_apply: &'static str,
    /// JSON; empty for none.
    pub(crate) manifest: String,
}

impl Tables {
    fn of(program: &Path) -> Self {
        let bytes = fs::read(program).expect("just linked");
        let elf = object::File::parse(&*bytes).expect("just linked");
        let address = |name: &str| {
            let found = elf.symbols().find(|symbol| symbol.name() == Ok(name));
            found.unwrap_or_else(|| panic!("no symbol {name}")).address()
        };
        let functions = FUNCTIONS.iter().filter_map(|&(name, dispatch, arm_offset, id)| {
            let symbol = elf.symbols().find(|symbol| symbol.name() == Ok(name))?;
            let (entry, size) = (symbol.address(), symbol.size() as u32);
            let section = elf.sections().find(|s| s.address() <= entry && entry < s.address() + s.size());
            let at = entry + u64::from(arm_offset);
            let code = section.expect("in some section").data_range(at, 2).expect("readable").expect("inside");
            let (slot, entry_bytes) = (address(&format!("slot_{name}")), [code[0], code[1]]);
            Some(Function { name: name.to_owned(), entry, size, slot, id, entry_bytes, dispatch, arm_offset })
        });
        let tls = elf.sections().find(|section| section.name() == Ok(".tdata")).expect("has TLS").address();
        let tls_counter = address("tls_counter");
        Self {
            name: String::new(),
            manifest: String::new(),
            build_id: elf.build_id().expect("readable").expect("linked with one").to_vec(),
            machine: 62,
            consistency: Consistency::Newest,
            functions: functions.collect(),
            shape: 1,
            pre_apply: "",
            counter: address("counter"),
            tls_counter: if tls_counter >= tls { tls_counter - tls } else { tls_counter },
        }
    }
}

fn write_patch(object: &Path, file: &Path, tables: &Tables) {
    let bytes = fs::read(object).expect("just linked");
    let elf = object::File::parse(&*bytes).expect("just linked");
    // 0 stands for "none".
    let optional = |name: &str| {
        elf.dynamic_symbols().find(|symbol| symbol.name() == Ok(name)).map_or(0, |symbol| symbol.address())
    };
    let address = |name: &str| Some(optional(name)).filter(|&at| at != 0).unwrap_or_else(|| panic!("no symbol {name}"));
    let (base, control) = (address("base"), optional("control"));
    let word = |offset, value, kind, name| PatchRelocation { offset, value, addend: 0, kind, name };
    let functions = tables.functions.iter().map(|f| PatchFunction {
        entry: f.entry,
        slot: f.slot,
        function_id: f.id,
        body: address(&format!("new_{}", f.name)),
        old: optional(&format!("old_{}", f.name)),
        stub: optional(&format!("stub_{}", f.name)),
        size: f.size,
        line: 9,
        flags: 0,
        entry_bytes: f.entry_bytes,
        dispatch: f.dispatch,
        arm_offset: f.arm_offset,
        name: &f.name,
        unit: "base.c",
    });
    let mut relocations = vec![
        word(base, tables.counter, RelocationKind::Address, "counter"),
        word(base + 8, tables.tls_counter, RelocationKind::TpOffset, "tls_counter"),
        word(base + 16, 0, RelocationKind::TlsModule, "tls_counter"),
        word(base + 24, tables.tls_counter, RelocationKind::TlsOffset, "tls_counter"),
    ];
    let mut carried = Vec::new();
    if control != 0 {
        for (function, at) in tables.functions.iter().zip((address("past")..).step_by(8)) {
            relocations.push(word(at, function.past(), RelocationKind::Address, &function.name));
        }
        relocations.push(word(address("kept"), 0, RelocationKind::Carried, "added"));
        let (shape, address) = (tables.shape, address("added"));
        carried.push(CarriedVariable { identity: 77, shape, address, size: 4, name: "added" });
    }
    let pre_apply = if tables.pre_apply.is_empty() { 0 } else { address(tables.pre_apply) };
    let section = PatchTables {
        name: &tables.name,
        base_build_id: &tables.build_id,
        machine: tables.machine,
        consistency: tables.consistency,
        functions: functions.collect(),
        relocations,
        carried,
        flags: 0,
        control,
        hooks: Hooks { pre_apply, ..Hooks::default() },
    };
    let raw = file.with_extension("section");
    fs::write(&raw, section.to_bytes().expect("valid tables")).expect("ours");
    let mut objcopy = Command::new("llvm-objcopy-19");
    objcopy.arg("--add-section").arg(format!("{SECTION}={}", raw.display()));
    if !tables.manifest.is_empty() {
        let raw = file.with_extension("manifest");
        fs::write(&raw, &tables.manifest).expect("ours");
        objcopy.arg("--add-section").arg(format!("{MANIFEST_SECTION}={}", raw.display()));
    }
    run(objcopy.arg(object).arg(file));
    seal(file);
}

/// Puts the checksum into a patch file.
pub(crate) fn seal(file: &Path) {
    let mut bytes = fs::read(file).expect("just written");
    let at = {
        let elf = dsu_abi::elf::parse(&bytes).expect("just written");
        let section = elf.section(SECTION).expect("readable").expect("just added");
        (section.offset + CHECKSUM_OFFSET) as usize
    };
    bytes[at..at + 32].fill(0);
    let hash = Sha256::digest(&bytes);
    bytes[at..at + 32].copy_from_slice(&hash);
    fs::write(file, bytes).expect("ours");
}

/// A running base program.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// Number of the process that answers (another than the child's after `daemon` and `fork`).
    pub(crate) pid: u32,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("just linked");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut process = Self { child, stdin, stdout, pid: 0 };
        process.pid = process.hear().parse().expect("it says its number first");
        process
    }

    /// The next line it prints.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a pipe can be read");
        line.trim_end().to_owned()
    }

    /// Sends a command, returns the answer.
    pub(crate) fn say(&mut self, command: &str) -> String {
        self.send(command);
        self.hear()
    }

    /// Sends a command, whose answer [`Process::hear`] fetches.
    pub(crate) fn send(&mut self, command: &str) {
        let stdin = self.stdin.as_mut().expect("open until `end`");
        writeln!(stdin, "{command}").expect("the program reads");
    }

    pub(crate) fn pid_text(&self) -> String {
        self.pid.to_string()
    }

    /// Lets it end by itself: its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.child.wait().expect("our child").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        // Its children end when nobody talks to them.
        drop(self.stdin.take());
        let _status = self.child.wait();
    }
}
