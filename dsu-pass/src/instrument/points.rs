//! Quiescence points: `DSU_QUIESCENCE_POINT()` in the source is a call of [`MARKER`], which stays in the stored
//! bitcode and becomes a check in the object:
//! ```c
//! if (__dsu_generation != __dsu_thread_generation)
//!     __dsu_quiesce();
//! ```

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::llvm::{Call, Module};

/// What `DSU_QUIESCENCE_POINT()` calls; it exists nowhere.
pub const MARKER: &str = "__dsu_quiescence_point";
/// The process's generation, written by the runtime.
const GENERATION: &str = "__dsu_generation";
/// The calling thread's generation.
const THREAD_GENERATION: &str = "__dsu_thread_generation";
/// Where a thread goes whose generation is old.
const QUIESCE: &str = "__dsu_quiesce";

/// A place where a thread may move to a newer generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Function that contains it, after inlining.
    pub function: String,
    /// Source line, 0 when unknown.
    pub line: u32,
}

/// The points of a module, while they are still markers.
pub fn found(module: &Module<'_>) -> Vec<Point> {
    let points = module.calls_of(MARKER).into_iter();
    points.map(|call| Point { function: call.caller().name(), line: call.line() }).collect()
}

/// The file of function names could not be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the list of quiescence points `{0}`: {1}; it holds one function name a line")]
pub struct PointsError(PathBuf, #[source] std::io::Error);

/// Names in a file: one a line, `#` begins a comment.
///
/// # Errors
/// When the file cannot be read.
pub fn names(path: &Path) -> Result<Vec<String>, PointsError> {
    let text = std::fs::read_to_string(path).map_err(|error| PointsError(path.to_owned(), error))?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Places a marker before each call of the named functions.
pub fn place(module: &Module<'_>, names: &[String]) {
    for call in names.iter().filter(|name| *name != MARKER).flat_map(|name| module.calls_of(name)) {
        call.call_before(module.external_procedure(MARKER));
    }
}

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
