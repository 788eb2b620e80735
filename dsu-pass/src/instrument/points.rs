//! Quiescence points: `DSU_QUIESCENCE_POINT()` in the source is a call of [`MARKER`], which stays in the stored
//! bitcode and becomes a check in the object:
//! ```c
//! if (__dsu_generation != __dsu_thread_generation)
//!     __dsu_quiesce();
//! ```

use crate::llvm::{Call, Module};
use crate::markers::MARKER;

/// The process's generation, written by the runtime.
const GENERATION: &str = "__dsu_generation";
/// The calling thread's generation.
const THREAD_GENERATION: &str = "__dsu_thread_generation";
/// Where a thread goes whose generation is old.
const QUIESCE: &str = "__dsu_quiesce";

/// Makes checks of markers.
pub fn lower(module: &Module<'_>) {
    let markers = module.calls_of(MARKER);
    if markers.is_empty() {
        return;
    }
    let generation = module.external_u32(GENERATION, false);
    let thread_generation = module.external_u32(THREAD_GENERATION, true);
    let quiesce = module.external_procedure(QUIESCE);
    quiesce.set_attribute("cold");
    for marker in markers {
        let differs = marker.words_differ_before(generation, thread_generation);
        marker.call_before_if(differs, quiesce);
        Call::remove(marker);
    }
}
