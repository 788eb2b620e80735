//! `libdsu_pass.so`: exports `llvmGetPassPluginInfo`, which `clang -fpass-plugin=` looks for.

pub use pass::plugin::llvmGetPassPluginInfo;
