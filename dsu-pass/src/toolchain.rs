//! The one place that knows the version of LLVM, the names of its tools, and the target.

/// Major version of the LLVM that the plugin is built for; a clang of another version cannot load it.
pub const MAJOR: &str = "19";
/// The name under which distributions install that clang beside others.
pub const CLANG: &str = "clang-19";
/// Its program that tells where the headers are.
pub const LLVM_CONFIG: &str = "llvm-config-19";
/// Names the installation prefix of LLVM at build time, as llvm-sys has it.
pub const PREFIX: &str = "LLVM_SYS_191_PREFIX";
/// `LLVM_PLUGIN_API_VERSION` of its `llvm/Passes/PassPlugin.h`.
pub const PLUGIN_API: u32 = 1;

/// Whether code for this triple, as the module states it, can be made updatable.
pub fn is_ours(triple: &str) -> bool {
    let foreign = ["windows", "darwin", "macos", "cygwin", "uefi", "x32"];
    triple.starts_with("x86_64") && !foreign.iter().any(|system| triple.contains(system))
}

/// Whether the value of `--target` or `-arch` asks for such a triple.
pub fn asks_for_ours(target: &str) -> bool {
    target == "x86_64" || target.starts_with("x86_64") && target.contains("linux") && !target.ends_with("x32")
}
