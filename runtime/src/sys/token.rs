//! State that only one thread may touch: the runtime's own, or the only thread of a process just forked.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// Proof of being that thread. Not `Copy`, not `Send`: it stays where it was made.
pub(crate) struct ThreadToken(core::marker::PhantomData<*mut ()>);

impl ThreadToken {
    /// # Safety
    /// The caller is the runtime's only thread, or the only thread of the process (a child in its fork handler),
    /// and no other `ThreadToken` of the process is in use.
    pub(crate) unsafe fn take() -> Self {
        Self(core::marker::PhantomData)
    }
}

/// A value reached with a [`ThreadToken`] only.
pub(crate) struct ThreadCell<T>(UnsafeCell<T>);

// SAFETY: `ThreadCell::get` asks for the `ThreadToken`, and only one thread of a process has one at a time.
unsafe impl<T> Sync for ThreadCell<T> {}

impl<T> ThreadCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value. Borrowing the token mutably keeps a second borrow away.
    pub(crate) fn get<'t>(&'t self, _token: &'t mut ThreadToken) -> &'t mut T {
        // SAFETY: the only `ThreadToken` is mutably borrowed for as long as the result lives.
        unsafe { &mut *self.0.get() }
    }
}

/// A value that is set at most once, and read by any thread.
pub(crate) struct Once<T> {
    value: UnsafeCell<Option<T>>,
    set: AtomicBool,
}

// SAFETY: written once, before `set` tells readers that it may be read; then never again.
unsafe impl<T: Sync + Send> Sync for Once<T> {}

impl<T> Once<T> {
    pub(crate) const fn new() -> Self {
        Self { value: UnsafeCell::new(None), set: AtomicBool::new(false) }
    }

    /// # Safety
    /// Called once, from the constructor.
    pub(crate) unsafe fn set(&self, value: T) {
        // SAFETY: the only write, and nobody reads before the store below.
        unsafe { *self.value.get() = Some(value) };
        self.set.store(true, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: the only write lies before the store that this load has seen.
        self.set.load(Ordering::Acquire).then(|| unsafe { &*self.value.get() })?.as_ref()
    }
}
