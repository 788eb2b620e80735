//! Where the debug information says that source files are.

use std::ffi::c_void;

use inkwell::llvm_sys::core::{
    LLVMGetModuleContext, LLVMMDStringInContext2, LLVMMetadataAsValue, LLVMReplaceMDNodeOperandWith,
    LLVMSetSourceFileName,
};
use inkwell::llvm_sys::debuginfo::{LLVMDIFileGetDirectory, LLVMDIFileGetFilename};
use inkwell::llvm_sys::prelude::{LLVMMetadataRef, LLVMModuleRef};

use super::metadata::{Get, text};
use super::module::Module;

type Take = unsafe extern "C" fn(*mut c_void, LLVMMetadataRef);

unsafe extern "C" {
    fn dsu_files(module: LLVMModuleRef, take: Take, sink: *mut c_void);
}

/// Name and directory: their places among the operands of a `DIFile` (llvm/IR/DebugInfoMetadata.h), and how they are got.
const PARTS: [(u32, Get); 2] = [(0, LLVMDIFileGetFilename), (1, LLVMDIFileGetDirectory)];

/// Receives a node.
///
/// # Safety
/// Called back by the shim during `dsu_files`: `sink` is its `Vec`.
unsafe extern "C" fn take(sink: *mut c_void, file: LLVMMetadataRef) {
    // SAFETY: the caller vouches for it.
    unsafe { (*sink.cast::<Vec<LLVMMetadataRef>>()).push(file) }
}

impl Module<'_> {
    /// The module as bitcode, its source file called `name`, and each path in the debug information what `moved` makes of
    /// it; `None` leaves it. The module itself stays as it is.
    pub fn to_bitcode_elsewhere(&self, name: &str, moved: impl Fn(&str) -> Option<String>) -> Vec<u8> {
        let own = self.source_file_name();
        let mut files: Vec<LLVMMetadataRef> = Vec::new();
        // SAFETY: the module is live; `take` is called with `files`, which outlives the call.
        unsafe { dsu_files(self.raw(), take, (&raw mut files).cast()) };
        let parts = files.into_iter().flat_map(|file| {
            // SAFETY: each is a `DIFile` of the live module.
            PARTS.map(|(index, get)| (file, index, unsafe { text(file, get) }))
        });
        let places: Vec<_> =
            parts.filter_map(|(file, index, old)| moved(&old).map(|new| (file, index, old, new))).collect();
        self.name_source_file(name);
        for (file, index, _, new) in &places {
            self.set_path(*file, *index, new);
        }
        let bitcode = self.to_bitcode();
        for (file, index, old, _) in places.iter().rev() {
            self.set_path(*file, *index, old);
        }
        self.name_source_file(&own);
        bitcode
    }

    fn name_source_file(&self, name: &str) {
        // SAFETY: the module is live; LLVM copies `name.len()` bytes.
        unsafe { LLVMSetSourceFileName(self.raw(), name.as_ptr().cast(), name.len()) }
    }

    /// A file that then equals another one becomes distinct from it, which nobody who reads debug information notices.
    fn set_path(&self, file: LLVMMetadataRef, index: u32, path: &str) {
        // SAFETY: `file` is a `DIFile` of the module's context: it has operands of these indices, and is neither
        // deleted nor replaced by this; LLVM copies `path.len()` bytes.
        unsafe {
            let context = LLVMGetModuleContext(self.raw());
            let path = LLVMMDStringInContext2(context, path.as_ptr().cast(), path.len());
            LLVMReplaceMDNodeOperandWith(LLVMMetadataAsValue(context, file), index, path);
        }
    }
}
