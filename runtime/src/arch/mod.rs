//! What differs between processors, behind one flat list of functions. A port is one more file here, beside the
//! formats of `dsu_abi::stub` and `dsu_abi::control`.

#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;
