//! Where clang comes in: the plugin's one exported function and the pass it registers.

use std::ffi::{c_char, c_void};
use std::sync::{Once, OnceLock};

use inkwell::llvm_sys::prelude::LLVMModuleRef;

use super::module::Module;
use crate::toolchain::PLUGIN_API;

/// What the pass does with a module, told by its options; the error is reported as one of the compilation.
pub type Run = fn(&Module<'_>, &str) -> Result<(), String>;

/// Set before LLVM learns of the pass.
static RUN: OnceLock<Run> = OnceLock::new();

/// `llvm::PassPluginLibraryInfo`.
#[repr(C)]
pub struct PassPluginLibraryInfo {
    api_version: u32,
    name: *const c_char,
    version: *const c_char,
    register: unsafe extern "C" fn(*mut c_void),
}

unsafe extern "C" {
    fn dsu_register(pass_builder: *mut c_void);
    fn dsu_error(module: LLVMModuleRef, text: *const c_char, len: usize);
    fn dsu_fatal(text: *const c_char, len: usize);
}

/// Describes a plugin whose pass does `run`.
pub fn plugin(run: Run) -> PassPluginLibraryInfo {
    RUN.get_or_init(|| run);
    PassPluginLibraryInfo {
        api_version: PLUGIN_API,
        name: c"dsu".as_ptr(),
        version: concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast(),
        register: dsu_register,
    }
}

/// Defines what `clang -fpass-plugin=` looks for: a plugin whose pass does `$run`.
macro_rules! export_plugin {
    ($run:path) => {
        /// What `clang -fpass-plugin=` looks for.
        // SAFETY: nothing else in a process that loads this library defines the name: LLVM looks it up in this library.
        #[unsafe(no_mangle)]
        pub extern "C" fn llvmGetPassPluginInfo() -> $crate::llvm::PassPluginLibraryInfo {
            $crate::llvm::plugin($run)
        }
    };
}
pub(crate) use export_plugin;

/// Runs the pass on one module; called by the shim.
///
/// # Safety
/// Called by LLVM's pass manager while it runs our pass: `module` is live and ours alone until we return, and
/// `options` points at `len` bytes that live as long.
// SAFETY: the name is ours.
#[unsafe(no_mangle)]
unsafe extern "C" fn dsu_pass_run(module: LLVMModuleRef, options: *const c_char, len: usize) {
    panics_end_the_compilation();
    let (module, options) =
        // SAFETY: the caller vouches for both; an empty string still has an address.
        unsafe { (Module::borrowed(module), std::slice::from_raw_parts(options.cast::<u8>(), len)) };
    let run = RUN.get().expect("`plugin` sets it, without which LLVM does not know this function");
    if let Err(error) = run(&module, &String::from_utf8_lossy(options)) {
        let text = format!("dsu: {error}");
        // SAFETY: the module is live; LLVM copies the text.
        unsafe { dsu_error(module.raw(), text.as_ptr().cast(), text.len()) }
    }
}

/// A panic must not unwind into clang, nor look like a crash of clang's: it ends the compilation as LLVM's own
/// fatal errors do, which also removes half-written outputs.
fn panics_end_the_compilation() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let text = format!(
                "the dsu plugin failed on an assumption of its own ({info}); please report it with this command \
                 line; `DSU_DISABLE=1` compiles without the plugin"
            );
            // SAFETY: LLVM reports the text and does not return; no lock of ours is held.
            unsafe { dsu_fatal(text.as_ptr().cast(), text.len()) }
        }));
    });
}
