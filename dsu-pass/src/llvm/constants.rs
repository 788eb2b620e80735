//! Constants made field by field.

use inkwell::llvm_sys::core::{
    LLVMConstAdd, LLVMConstInt, LLVMConstPtrToInt, LLVMConstStringInContext2, LLVMConstStructInContext, LLVMConstSub,
    LLVMConstTrunc, LLVMGetAsString, LLVMGetModuleContext, LLVMInt32TypeInContext, LLVMInt64TypeInContext,
    LLVMIsConstantString,
};
use inkwell::llvm_sys::prelude::LLVMValueRef;

use super::module::Module;
use super::value::Value;

/// A field of a packed constant.
#[derive(Debug, Clone, Copy)]
pub enum Field<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// 8 bytes, little-endian.
    U64(u64),
    /// 4 bytes: `to - from + addend`, which must fit; the linker fills it in.
    Distance {
        /// End of the distance.
        to: Value<'a>,
        /// Start of the distance.
        from: Value<'a>,
        /// Added to it.
        addend: i64,
    },
    /// 8 bytes: `of + addend`; the linker or loader fills it in.
    Address {
        /// What is pointed at.
        of: Value<'a>,
        /// Added to it.
        addend: i64,
    },
}

impl Module<'_> {
    /// A constant of these fields, without padding.
    pub fn packed(&self, fields: &[Field<'_>]) -> Value<'_> {
        let mut fields: Vec<LLVMValueRef> = fields.iter().map(|field| self.field(field)).collect();
        let count = u32::try_from(fields.len()).expect("constants have few fields");
        let constant =
            // SAFETY: module and fields are live; LLVM copies the array.
            unsafe { LLVMConstStructInContext(LLVMGetModuleContext(self.raw()), fields.as_mut_ptr(), count, 1) };
        Value::from_raw(constant).expect("LLVM makes a constant of any fields")
    }

    fn field(&self, field: &Field<'_>) -> LLVMValueRef {
        // SAFETY: the module is live, and with it its context; the values are live globals, whose addresses are
        // pointers, of which LLVM makes constants; `bytes` is copied.
        unsafe {
            let context = LLVMGetModuleContext(self.raw());
            let (i32, i64) = (LLVMInt32TypeInContext(context), LLVMInt64TypeInContext(context));
            let number = |n: i64| LLVMConstInt(i64, n.cast_unsigned(), 1);
            match *field {
                Field::Bytes(bytes) => LLVMConstStringInContext2(context, bytes.as_ptr().cast(), bytes.len(), 1),
                Field::U64(n) => LLVMConstInt(i64, n, 0),
                Field::Distance { to, from, addend } => {
                    let address = |v: Value<'_>| LLVMConstPtrToInt(v.raw(), i64);
                    let distance = LLVMConstSub(address(to), address(from));
                    let distance = if addend == 0 { distance } else { LLVMConstAdd(distance, number(addend)) };
                    LLVMConstTrunc(distance, i32)
                }
                Field::Address { of, addend } => {
                    let address = LLVMConstPtrToInt(of.raw(), i64);
                    if addend == 0 { address } else { LLVMConstAdd(address, number(addend)) }
                }
            }
        }
    }
}

impl Value<'_> {
    /// Bytes of a constant array of bytes.
    pub fn bytes(self) -> Option<Vec<u8>> {
        if self.kind() != super::ValueKind::LLVMConstantDataArrayValueKind {
            return None;
        }
        // SAFETY: it is a live data array; LLVM returns `len` bytes that belong to it, copied at once.
        unsafe {
            if LLVMIsConstantString(self.raw()) == 0 {
                return None;
            }
            let mut len = 0;
            let bytes = LLVMGetAsString(self.raw(), &mut len);
            Some(std::slice::from_raw_parts(bytes.cast::<u8>(), len).to_vec())
        }
    }
}
