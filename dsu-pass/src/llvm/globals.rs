//! Global values: making them, and what hangs on them.

use std::ffi::CString;

use inkwell::llvm_sys::LLVMLinkage;
use inkwell::llvm_sys::LLVMUnnamedAddr;
use inkwell::llvm_sys::comdat::{LLVMGetComdat, LLVMSetComdat};
use inkwell::llvm_sys::core::{
    LLVMAddAlias2, LLVMAddGlobal, LLVMGetAlignment, LLVMGetInitializer, LLVMGetUnnamedAddress, LLVMGlobalGetValueType,
    LLVMHasPrefixData, LLVMHasPrologueData, LLVMIsGlobalConstant, LLVMSetAlignment, LLVMSetInitializer, LLVMSetLinkage,
    LLVMSetPrefixData, LLVMSetPrologueData, LLVMTypeOf,
};
use inkwell::llvm_sys::prelude::LLVMValueRef;

use super::module::Module;
use super::value::{Value, ValueKind};

unsafe extern "C" {
    fn dsu_append_compiler_used(
        module: inkwell::llvm_sys::prelude::LLVMModuleRef,
        values: *mut LLVMValueRef,
        count: usize,
    );
    fn dsu_no_sanitize(variable: LLVMValueRef);
}

impl Module<'_> {
    /// Adds a variable without a symbol, which sanitizers leave alone. LLVM may add to the name.
    pub fn add_private_variable(&self, name: &str, value: Value<'_>, align: u32) -> Value<'_> {
        let name = CString::new(name.replace('\0', "")).expect("NULs are gone");
        // SAFETY: module and value are live; the name is copied.
        let variable = unsafe {
            let variable = LLVMAddGlobal(self.raw(), LLVMTypeOf(value.raw()), name.as_ptr());
            LLVMSetInitializer(variable, value.raw());
            LLVMSetLinkage(variable, LLVMLinkage::LLVMPrivateLinkage);
            LLVMSetAlignment(variable, align);
            dsu_no_sanitize(variable);
            variable
        };
        Value::from_raw(variable).expect("LLVM has just made it")
    }

    /// A second name for `of`, without a symbol, that always means the definition in this module.
    pub fn add_private_alias(&self, name: &str, of: Value<'_>) -> Value<'_> {
        let name = CString::new(name.replace('\0', "")).expect("NULs are gone");
        assert!(of.is_global(), "only global values have aliases");
        // SAFETY: module and value are live, and it is a global value; the name is copied.
        let alias = unsafe {
            let alias = LLVMAddAlias2(self.raw(), LLVMGlobalGetValueType(of.raw()), 0, of.raw(), name.as_ptr());
            LLVMSetLinkage(alias, LLVMLinkage::LLVMPrivateLinkage);
            alias
        };
        Value::from_raw(alias).expect("LLVM has just made it")
    }

    /// Keeps the optimiser from dropping or merging these global values: something it cannot see names them.
    pub fn keep_for_assembly(&self, values: &[Value<'_>]) {
        let mut raw: Vec<_> = values.iter().filter(|v| v.is_global()).map(|v| v.raw()).collect();
        // SAFETY: the module and the values are live, and they are global values; the shim reads the array.
        unsafe { dsu_append_compiler_used(self.raw(), raw.as_mut_ptr(), raw.len()) }
    }
}

impl<'m> Value<'m> {
    fn is_variable(self) -> bool {
        self.kind() == ValueKind::LLVMGlobalVariableValueKind
    }

    fn is_function_definition(self) -> bool {
        self.kind() == ValueKind::LLVMFunctionValueKind && !self.is_declaration()
    }

    /// Initialiser of a variable.
    pub fn initializer(self) -> Option<Value<'m>> {
        // SAFETY: it is a live variable; null means there is none.
        self.is_variable().then(|| Value::from_raw(unsafe { LLVMGetInitializer(self.raw()) })).flatten()
    }

    /// Whether a variable is never written.
    pub fn is_constant_variable(self) -> bool {
        // SAFETY: it is a live variable.
        self.is_variable() && unsafe { LLVMIsGlobalConstant(self.raw()) } != 0
    }

    /// Whether nobody may compare its address.
    pub fn is_unnamed(self) -> bool {
        // SAFETY: it is a live global value.
        self.is_global() && unsafe { LLVMGetUnnamedAddress(self.raw()) } == LLVMUnnamedAddr::LLVMGlobalUnnamedAddr
    }

    /// Alignment the source asked for; 0 when it did not.
    pub fn alignment(self) -> u32 {
        // SAFETY: it is a live function or variable.
        if self.is_variable() || self.is_function_definition() { unsafe { LLVMGetAlignment(self.raw()) } } else { 0 }
    }

    /// Asks for an alignment, a power of two.
    pub fn set_alignment(self, align: u32) {
        assert!(align.is_power_of_two() && (self.is_variable() || self.is_function_definition()), "nothing to align");
        // SAFETY: it is a live function or variable.
        unsafe { LLVMSetAlignment(self.raw(), align) }
    }

    /// Puts it into the comdat of `other`, if that is in one.
    pub fn join_comdat_of(self, other: Value<'_>) {
        assert!(self.is_variable() && other.is_global(), "only variables and functions are in comdats");
        // SAFETY: both are live global objects of one module.
        unsafe {
            let comdat = LLVMGetComdat(other.raw());
            if !comdat.is_null() {
                LLVMSetComdat(self.raw(), comdat);
            }
        }
    }

    /// Whether a function has data before its entry.
    pub fn has_prefix_data(self) -> bool {
        // SAFETY: it is a live function.
        self.is_function_definition() && unsafe { LLVMHasPrefixData(self.raw()) } != 0
    }

    /// Whether a function has data at its entry.
    pub fn has_prologue_data(self) -> bool {
        // SAFETY: it is a live function.
        self.is_function_definition() && unsafe { LLVMHasPrologueData(self.raw()) } != 0
    }

    /// Puts data before a function's entry.
    pub fn set_prefix_data(self, data: Value<'_>) {
        assert!(self.is_function_definition(), "only functions have prefix data");
        // SAFETY: it is a live function, and the constant is of its context.
        unsafe { LLVMSetPrefixData(self.raw(), data.raw()) }
    }

    /// Puts data, which must be code, at a function's entry.
    pub fn set_prologue_data(self, data: Value<'_>) {
        assert!(self.is_function_definition(), "only functions have prologue data");
        // SAFETY: it is a live function, and the constant is of its context.
        unsafe { LLVMSetPrologueData(self.raw(), data.raw()) }
    }
}
