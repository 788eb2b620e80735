//! Makes compiled C and C++ updatable: the pass plugin that clang loads (`libdsu_pass.so`), and what patchgen
//! shares with it.
//!
//! | module | what |
//! |---|---|
//! | [`llvm`] | the wall: every call into LLVM and every `unsafe` of the host tools |

pub mod llvm;
