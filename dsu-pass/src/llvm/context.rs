use inkwell::memory_buffer::MemoryBuffer;

use super::error::{LlvmError, Result};
use super::module::Module;

/// Owns the types and constants that modules share. Not for use by two threads at once (it is not `Sync`).
#[derive(Debug)]
pub struct Context {
    inner: inkwell::context::Context,
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl Context {
    /// A context with nothing in it.
    pub fn new() -> Self {
        Self { inner: inkwell::context::Context::create() }
    }

    /// Reads bitcode, or IR text; `name` stands for the input in error messages.
    ///
    /// # Errors
    /// When LLVM cannot read it. Bitcode that LLVM can read may still be nonsense: see [`Module::verify`].
    pub fn parse(&self, input: &[u8], name: &str) -> Result<Module<'_>> {
        // A copy, because LLVM wants a NUL behind text.
        let buffer = MemoryBuffer::create_from_memory_range_copy(input, name);
        let module = self.inner.create_module_from_ir(buffer).map_err(|e| LlvmError::Parse(e.to_string()))?;
        Ok(Module::owned(module))
    }
}
