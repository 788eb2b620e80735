//! Old code goes when nothing can return into it. Once no slot leads there, a thread without a frame in it can never
//! get one again: so every thread is looked at once, by itself or while it sleeps. Stacks of coroutines, which no
//! thread may be running on, are looked at between two such epochs: one that was resumed meanwhile shows in the second.

use core::sync::atomic::Ordering;

use crate::callback::Callback;
use crate::image::Image;
use crate::ranges::Ranges;
use crate::stack_check::StackCheck;
use crate::stacks::each_word;
use crate::sys::Errno;
use crate::sys::range::{Range, Visit};
use crate::threads;
use crate::transition::{Epochs, Progress};

/// A proof in progress.
#[derive(Clone, Copy)]
pub(crate) struct Reclaim {
    /// Epochs still to be completed.
    epochs: u32,
}

/// Whether an image's code is waiting to go.
pub(crate) fn is_waiting(image: &Image) -> bool {
    !image.address_taken && !image.reclaimed.load(Ordering::Relaxed)
}

/// Tells of the images whose code nothing leads to.
pub(crate) type Retired<'w> = &'w mut dyn for<'v> Callback<&'v mut dyn Callback<&'static Image>>;

/// Their code.
fn code(unused: Retired<'_>) -> Result<Ranges, Errno> {
    Ranges::collect(&mut |visit: Visit<'_>| unused.call(&mut |image: &'static Image| visit.call(image.code)))
}

impl Reclaim {
    /// Begins to prove that nothing runs in these. `None` if there is nothing to prove.
    pub(crate) fn begin(epochs: &mut Epochs, goal: u32, unused: Retired<'_>) -> Result<Option<Self>, Errno> {
        let retired = code(unused)?;
        // Where a stack has been lost sight of, there is no proof.
        if retired.is_empty() || threads::stacks().lost.load(Ordering::Relaxed) != 0 {
            return Ok(None);
        }
        epochs.begin(StackCheck { goal, changed: Ranges::empty(), retired })?;
        let has_stacks = threads::stacks().find(&mut |_: Range| true).is_some();
        Ok(Some(Self { epochs: if has_stacks { 2 } else { 1 } }))
    }

    /// Goes on; true when it is proven, and the code has gone.
    pub(crate) fn advance(
        &mut self,
        epochs: &mut Epochs,
        progress: &Progress,
        goal: u32,
        unused: Retired<'_>,
    ) -> Result<bool, Errno> {
        if !progress.all_answered() {
            return Ok(false);
        }
        let retired = code(unused)?;
        if !stacks_are_free(&retired) {
            return Ok(false);
        }
        self.epochs = self.epochs.saturating_sub(1);
        if self.epochs > 0 {
            epochs.begin(StackCheck { goal, changed: Ranges::empty(), retired })?;
            return Ok(false);
        }
        let mut gone = Ok(());
        unused.call(&mut |image: &'static Image| gone = gone.and_then(|()| image.set_present(false)));
        gone.map(|()| true)
    }
}

/// Whether no stack that the program made known has a frame there. One that cannot be read may have.
fn stacks_are_free(code: &Ranges) -> bool {
    let mut is_held = |stack: Range| {
        let mut found = false;
        each_word(stack, |word| found |= code.hold(word)).is_none() || found
    };
    threads::stacks().find(&mut is_held).is_none()
}
