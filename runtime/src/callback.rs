//! Closures behind references. What a `dyn FnMut` refers to has, for `FnOnce`, a second copy of the closure's body that
//! nobody calls, but every program would hold: 3 KB of them. Here there is one.

/// A closure that takes one argument.
pub(crate) trait Callback<A, R = ()> {
    /// Calls it.
    fn call(&mut self, argument: A) -> R;
}

impl<A, R, F: FnMut(A) -> R> Callback<A, R> for F {
    fn call(&mut self, argument: A) -> R {
        self(argument)
    }
}
