//! Drop-in for `clang`, and under the name `dsu-c++` for `clang++`, that makes programs updatable while they run; see
//! `dsu-cc --dsu-help`.
//!
//! Built without the library of this package: that needs LLVM, whose loading would take longer than a small compilation.

#[expect(unreachable_pub, reason = "the library, which the module belongs to, exports it")]
#[path = "../options.rs"]
mod options;
#[expect(unreachable_pub, dead_code, reason = "the library, which the module belongs to, exports and uses all of it")]
#[path = "../toolchain.rs"]
mod toolchain;
#[path = "../wrapper/mod.rs"]
mod wrapper;

fn main() -> std::process::ExitCode {
    wrapper::main()
}
