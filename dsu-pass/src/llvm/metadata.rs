//! Module flags, and the few facts of the debug information that the plugin needs.

use inkwell::llvm_sys::core::{
    LLVMConstIntGetZExtValue, LLVMDisposeValueMetadataEntries, LLVMGetMDKindIDInContext, LLVMGetMDNodeNumOperands,
    LLVMGetMDNodeOperands, LLVMGetMDString, LLVMGetModuleContext, LLVMGetModuleFlag, LLVMGetNamedMetadataNumOperands,
    LLVMGetNamedMetadataOperands, LLVMGlobalCopyAllMetadata, LLVMIsAConstantInt, LLVMIsAMDNode, LLVMIsAMDString,
    LLVMMetadataAsValue, LLVMValueMetadataEntriesGetKind,
};
use inkwell::llvm_sys::debuginfo::{
    LLVMDIFileGetDirectory, LLVMDIFileGetFilename, LLVMDIScopeGetFile, LLVMGetSubprogram,
};
use inkwell::llvm_sys::prelude::{LLVMMetadataRef, LLVMValueRef};

use super::module::Module;
use super::value::{Value, ValueKind};

/// Where something comes from, as the debug information says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Compilation directory.
    pub directory: String,
    /// Path, relative to the directory unless absolute.
    pub path: String,
}

impl Module<'_> {
    /// Value of an integer module flag such as `cf-protection-branch`.
    pub fn flag(&self, key: &str) -> Option<u64> {
        // SAFETY: the module is live; LLVM reads `len` bytes and returns null when there is no such flag; a flag is
        // metadata of the module's context, and only an integer constant is read as one.
        unsafe {
            let flag = LLVMGetModuleFlag(self.raw(), key.as_ptr().cast(), key.len());
            if flag.is_null() {
                return None;
            }
            let value = LLVMMetadataAsValue(LLVMGetModuleContext(self.raw()), flag);
            // The wrapper of a constant counts as a node with that one operand.
            let constant = if LLVMGetMDNodeNumOperands(value) == 1 { operands(value)[0] } else { value };
            let constant = LLVMIsAConstantInt(constant);
            (!constant.is_null()).then(|| LLVMConstIntGetZExtValue(constant))
        }
    }

    /// The compiler's name for itself (`llvm.ident`).
    pub fn producer(&self) -> Option<String> {
        let name = c"llvm.ident".as_ptr();
        // SAFETY: the module is live; the arrays are as long as LLVM says; only nodes and strings are read as such.
        unsafe {
            let count = LLVMGetNamedMetadataNumOperands(self.raw(), name);
            let mut nodes = vec![std::ptr::null_mut(); count as usize];
            LLVMGetNamedMetadataOperands(self.raw(), name, nodes.as_mut_ptr());
            let node = nodes.into_iter().find(|node| !LLVMIsAMDNode(*node).is_null())?;
            let text = operands(node).into_iter().find(|text| !text.is_null() && !LLVMIsAMDString(*text).is_null())?;
            let mut len = 0;
            let bytes = LLVMGetMDString(text, &mut len);
            Some(String::from_utf8_lossy(std::slice::from_raw_parts(bytes.cast::<u8>(), len as usize)).into_owned())
        }
    }
}

/// # Safety
/// `node` must be a live metadata node.
unsafe fn operands(node: LLVMValueRef) -> Vec<LLVMValueRef> {
    // SAFETY: the caller vouches for the node; LLVM fills as many places as it has operands.
    unsafe {
        let mut operands = vec![std::ptr::null_mut(); LLVMGetMDNodeNumOperands(node) as usize];
        LLVMGetMDNodeOperands(node, operands.as_mut_ptr());
        operands
    }
}

impl Value<'_> {
    /// Whether metadata of this kind hangs on a function or variable.
    pub fn has_metadata(self, kind: &str) -> bool {
        if self.is_declaration()
            || !matches!(self.kind(), ValueKind::LLVMFunctionValueKind | ValueKind::LLVMGlobalVariableValueKind)
        {
            return false;
        }
        let Ok(len) = u32::try_from(kind.len()) else { return false };
        // SAFETY: it is a live global object; LLVM gives an array of `count` entries to dispose of.
        unsafe {
            let kind = LLVMGetMDKindIDInContext(self.context(), kind.as_ptr().cast(), len);
            let mut count = 0;
            let entries = LLVMGlobalCopyAllMetadata(self.raw(), &mut count);
            let count = u32::try_from(count).unwrap_or(0);
            let found = (0..count).any(|index| LLVMValueMetadataEntriesGetKind(entries, index) == kind);
            LLVMDisposeValueMetadataEntries(entries);
            found
        }
    }

    /// The file a function was written in.
    pub fn source_file(self) -> Option<SourceFile> {
        if self.kind() != ValueKind::LLVMFunctionValueKind {
            return None;
        }
        // SAFETY: it is a live function; LLVM returns null where there is no debug information, and strings of
        // `len` bytes that belong to the context and are copied at once.
        unsafe {
            let subprogram = LLVMGetSubprogram(self.raw());
            let file = if subprogram.is_null() { subprogram } else { LLVMDIScopeGetFile(subprogram) };
            if file.is_null() {
                return None;
            }
            Some(SourceFile { directory: text(file, LLVMDIFileGetDirectory), path: text(file, LLVMDIFileGetFilename) })
        }
    }
}

/// How LLVM gives a string of a `DIFile`, with its length.
pub(in crate::llvm) type Get = unsafe extern "C" fn(LLVMMetadataRef, *mut u32) -> *const std::ffi::c_char;

/// A string of a `DIFile`.
///
/// # Safety
/// `file` must be a live `DIFile`.
pub(in crate::llvm) unsafe fn text(file: LLVMMetadataRef, get: Get) -> String {
    let mut len = 0;
    // SAFETY: the caller vouches for `file`; the string belongs to the context and is copied at once.
    unsafe {
        let bytes = get(file, &mut len);
        if len == 0 {
            return String::new();
        }
        String::from_utf8_lossy(std::slice::from_raw_parts(bytes.cast::<u8>(), len as usize)).into_owned()
    }
}
