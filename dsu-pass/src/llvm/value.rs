use std::marker::PhantomData;

use inkwell::llvm_sys::LLVMLinkage;
use inkwell::llvm_sys::comdat::LLVMGetComdat;
use inkwell::llvm_sys::core::{
    LLVMGetLinkage, LLVMGetNumOperands, LLVMGetOperand, LLVMGetSection, LLVMGetValueKind, LLVMGetValueName2,
    LLVMIsDeclaration, LLVMIsThreadLocal, LLVMPrintValueToString,
};
use inkwell::llvm_sys::prelude::LLVMValueRef;

use super::message::message;

pub use inkwell::llvm_sys::LLVMValueKind as ValueKind;

/// Any value of a module: function, variable, constant, instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value<'m> {
    raw: LLVMValueRef,
    module: PhantomData<&'m ()>,
}

/// How a name is bound, in LLVM's terms, with the historical ones folded into what they mean now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Linkage {
    /// An ordinary external name.
    External,
    /// A body for the optimiser only; nothing is emitted.
    AvailableExternally,
    /// One of several equal definitions, dropped when unused; `true` when all are known equal (ODR).
    LinkOnce(bool),
    /// One of several definitions, always kept; `true` when all are known equal (ODR).
    Weak(bool),
    /// LLVM's own lists (`llvm.used`).
    Appending,
    /// Static.
    Internal,
    /// Static, and without a symbol in the object.
    Private,
    /// A declaration that may stay undefined.
    ExternalWeak,
    /// A tentative definition (`-fcommon`).
    Common,
}

impl Linkage {
    /// Whether the name is the unit's own.
    pub fn is_local(self) -> bool {
        matches!(self, Self::Internal | Self::Private)
    }
}

impl<'m> Value<'m> {
    pub(in crate::llvm) fn from_raw(raw: LLVMValueRef) -> Option<Self> {
        (!raw.is_null()).then_some(Self { raw, module: PhantomData })
    }

    pub(in crate::llvm) fn raw(self) -> LLVMValueRef {
        self.raw
    }

    /// What sort of value it is.
    pub fn kind(self) -> ValueKind {
        // SAFETY: the value lives as long as its module, which `'m` borrows.
        unsafe { LLVMGetValueKind(self.raw) }
    }

    /// Its name, empty when it has none; bytes that are not UTF-8 are replaced.
    pub fn name(self) -> String {
        let mut len = 0;
        // SAFETY: as in `kind`; LLVM returns `len` bytes that belong to the value, copied at once.
        let bytes = unsafe {
            let name = LLVMGetValueName2(self.raw, &mut len);
            if len == 0 { &[] } else { std::slice::from_raw_parts(name.cast::<u8>(), len) }
        };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// The value as IR text: a whole function, or one instruction.
    pub fn to_text(self) -> String {
        // SAFETY: as in `kind`; the message is ours to dispose of.
        message(unsafe { LLVMPrintValueToString(self.raw) })
    }

    /// Whether it is a function, defined or declared.
    pub fn is_function(self) -> bool {
        self.kind() == ValueKind::LLVMFunctionValueKind
    }

    /// Whether it is a global value: function, variable, alias or ifunc.
    pub fn is_global(self) -> bool {
        use ValueKind::*;
        matches!(
            self.kind(),
            LLVMFunctionValueKind | LLVMGlobalVariableValueKind | LLVMGlobalAliasValueKind | LLVMGlobalIFuncValueKind
        )
    }

    /// Linkage of a global value; anything else is [`Linkage::Private`] to whoever holds it.
    pub fn linkage(self) -> Linkage {
        if !self.is_global() {
            return Linkage::Private;
        }
        // SAFETY: as in `kind`, and it is a global value.
        match unsafe { LLVMGetLinkage(self.raw) } {
            LLVMLinkage::LLVMExternalLinkage
            | LLVMLinkage::LLVMDLLImportLinkage
            | LLVMLinkage::LLVMDLLExportLinkage
            | LLVMLinkage::LLVMGhostLinkage => Linkage::External,
            LLVMLinkage::LLVMAvailableExternallyLinkage => Linkage::AvailableExternally,
            LLVMLinkage::LLVMLinkOnceAnyLinkage => Linkage::LinkOnce(false),
            LLVMLinkage::LLVMLinkOnceODRLinkage | LLVMLinkage::LLVMLinkOnceODRAutoHideLinkage => {
                Linkage::LinkOnce(true)
            }
            LLVMLinkage::LLVMWeakAnyLinkage => Linkage::Weak(false),
            LLVMLinkage::LLVMWeakODRLinkage => Linkage::Weak(true),
            LLVMLinkage::LLVMAppendingLinkage => Linkage::Appending,
            LLVMLinkage::LLVMInternalLinkage => Linkage::Internal,
            LLVMLinkage::LLVMPrivateLinkage
            | LLVMLinkage::LLVMLinkerPrivateLinkage
            | LLVMLinkage::LLVMLinkerPrivateWeakLinkage => Linkage::Private,
            LLVMLinkage::LLVMExternalWeakLinkage => Linkage::ExternalWeak,
            LLVMLinkage::LLVMCommonLinkage => Linkage::Common,
        }
    }

    /// Whether it is a global value without a body or initialiser here.
    pub fn is_declaration(self) -> bool {
        // SAFETY: as in `kind`, and it is a global value.
        self.is_global() && unsafe { LLVMIsDeclaration(self.raw) } != 0
    }

    /// Whether it is a thread-local variable.
    pub fn is_thread_local(self) -> bool {
        // SAFETY: as in `kind`, and it is a variable.
        self.kind() == ValueKind::LLVMGlobalVariableValueKind && unsafe { LLVMIsThreadLocal(self.raw) } != 0
    }

    /// Whether it is a global value in a comdat.
    pub fn has_comdat(self) -> bool {
        // SAFETY: as in `kind`, and it is a global value.
        self.is_global() && !unsafe { LLVMGetComdat(self.raw) }.is_null()
    }

    /// Section that the source asked for; empty when it did not.
    pub fn section(self) -> String {
        if !self.is_global() {
            return String::new();
        }
        // SAFETY: as in `kind`, and it is a global value; LLVM returns null or a NUL-terminated string of its own.
        unsafe {
            let section = LLVMGetSection(self.raw);
            if section.is_null() {
                return String::new();
            }
            std::ffi::CStr::from_ptr(section).to_string_lossy().into_owned()
        }
    }

    /// Operands of an instruction or constant; of a function or variable, what hangs on it (initialiser, prefix).
    pub fn operands(self) -> impl Iterator<Item = Value<'m>> {
        use ValueKind::*;
        let user = !matches!(
            self.kind(),
            LLVMArgumentValueKind | LLVMBasicBlockValueKind | LLVMMetadataAsValueValueKind | LLVMInlineAsmValueKind
        );
        // SAFETY: as in `kind`; everything but the kinds above is a `User`.
        let count = if user { unsafe { LLVMGetNumOperands(self.raw) } } else { 0 };
        let count = u32::try_from(count).unwrap_or(0);
        // SAFETY: `index` is below the operand count.
        (0..count).filter_map(move |index| Value::from_raw(unsafe { LLVMGetOperand(self.raw, index) }))
    }
}
