//! The calls that stand for something until the module is instrumented. They stay in the stored bitcode, so that a
//! patch made of it has them too.

use serde::Serialize;

use crate::llvm::Module;

/// What `DSU_QUIESCENCE_POINT()` calls; it exists nowhere.
pub const MARKER: &str = "__dsu_quiescence_point";
/// Around a blocking call: the thread counts as quiescent between them.
pub const IDLE: [&str; 2] = ["__dsu_idle_begin", "__dsu_idle_end"];
/// Around a call of a library's event loop.
pub const LOOP: [&str; 2] = ["__dsu_loop_begin", "__dsu_loop_end"];
/// What the name of a function ends with that is the body of a loop of the function before the dot.
pub const OUTLINED_LOOP: &str = ".dsu_loop";

/// A place where a thread may move to a newer generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Function that contains it, after inlining.
    pub function: String,
    /// Source line, 0 when unknown.
    pub line: u32,
}

/// The quiescence points of a module, while they are still markers.
pub fn points(module: &Module<'_>) -> Vec<Point> {
    let points = module.calls_of(MARKER).into_iter();
    points.map(|call| Point { function: call.caller().name(), line: call.line() }).collect()
}
