//! Switching versions. Prepare may fail and has stored nothing then; commit is a run of stores that cannot fail.
//!
//! Bytes at an entry of dispatch `armed` (AT&T syntax), before and after arming:
//! ```text
//! entry-6  ff 25 ..  jmp *slot(%rip)       ff 25 ..  jmp *slot(%rip)
//! entry    55 ..     push %rbp ...         eb f8     jmp entry-6
//! ```
//! Order of the stores: (1) the slot, release: body and data of the patch were written before; (2) the two bytes,
//! aligned, at once: a core fetches the old two or the new two, and the first instruction is at least two bytes
//! long; (3) one membarrier, after which no core runs a stale copy. x86 keeps (1) before (2). Taking a patch back
//! is (2) and (3) with the bytes of the base; the slot may keep its value, nothing jumps through it any more.

use core::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use dsu_abi::wire::Code;

use crate::fail::{Fail, Result};
use crate::image::{Entry, Image, Redirect};
use crate::phase::{self, Phase};
use crate::sys::Errno;
use crate::sys::memory::{Table, TextSpan, set_text_writable};
use crate::sys::process;

/// Instrumented modules with patches at a time; spans of text in a plan.
pub(crate) const MODULES: usize = 64;
const SPANS: usize = MODULES + 1;

/// One function's stores.
#[derive(Clone, Copy)]
struct Step {
    slot: Option<(&'static AtomicUsize, usize)>,
    text: Option<(&'static AtomicU16, u16)>,
}

/// Everything a commit stores; complete before the first store, so that a forked child can finish it.
pub(crate) struct Plan {
    steps: Table<Step>,
    spans: [Option<TextSpan>; SPANS],
}

impl Plan {
    pub(crate) const fn empty() -> Self {
        Self { steps: Table::empty(), spans: [None; SPANS] }
    }

    /// A plan that brings the functions of `new` to it, and those only in `old` back to the base.
    #[inline(never)]
    pub(crate) fn new(new: Option<&'static Image>, old: &[Option<&'static Image>; MODULES]) -> Result<Self> {
        let images = || new.into_iter().chain(old.iter().flatten().copied());
        let capacity = images().map(|image| image.redirects.len()).sum();
        let no_memory = |errno| Fail::system(Code::OutOfResources, errno, "memory for the plan of the update");
        let mut plan = Self { steps: Table::with_capacity(capacity).map_err(no_memory)?, spans: [None; SPANS] };
        for redirect in new.map_or(&[][..], |image| image.redirects) {
            plan.steps.push(forward(redirect)?).map_err(no_memory)?;
        }
        for image in old.iter().flatten() {
            let left = image.redirects.iter().filter(|r| !new.is_some_and(|new| new.holds(r.slot)));
            for redirect in left {
                plan.steps.push(back(redirect)?).map_err(no_memory)?;
            }
        }
        let spans = images().filter_map(|image| image.text);
        for (place, span) in plan.spans.iter_mut().zip(spans) {
            *place = Some(span);
        }
        Ok(plan)
    }

    /// Makes the text writable that the plan stores to.
    pub(crate) fn open(&mut self) -> Result<Opened<'_>> {
        if !phase::enter(Phase::Opened) {
            return Err(Fail::new(Code::OutOfResources, "the program forks all the time", ""));
        }
        let opened = Opened(self);
        for span in opened.0.spans.iter().flatten() {
            set_text_writable(span, true).map_err(not_writable)?;
        }
        Ok(opened)
    }

    /// The stores. Doing them twice is doing them once.
    fn store(&self) {
        for (slot, body) in self.steps.as_slice().iter().filter_map(|step| step.slot) {
            slot.store(body, Ordering::Release);
        }
        for (text, bytes) in self.steps.as_slice().iter().filter_map(|step| step.text) {
            text.store(bytes, Ordering::Release);
        }
        if self.spans.iter().any(Option::is_some) {
            process::barrier();
        }
    }

    /// In a child forked somewhere between the first store and the closing of the text: all of it once more.
    pub(crate) fn finish(&self) {
        let open = |span| set_text_writable(span, true).is_ok();
        // The parent was just allowed the same. Were the child not, storing would kill it; the text it has is whole
        // then, unless the fork fell into the microseconds of the stores themselves.
        if self.spans.iter().flatten().all(open) {
            self.store();
        }
        self.close();
    }

    /// Gives the text the protection it has outside commits.
    pub(crate) fn close(&self) {
        for span in self.spans.iter().flatten() {
            // The kernel has no reason to refuse taking a right away; were it to, the text would stay writable.
            let _kept: core::result::Result<(), Errno> = set_text_writable(span, false);
        }
    }
}

fn not_writable(errno: Errno) -> Fail {
    Fail::system(Code::TextNotWritable, errno, "")
}

/// Whether this process may change its text at all: asked before anything is loaded for it.
pub(crate) fn check_writable(span: &TextSpan) -> Result<()> {
    if !process::has_barrier() {
        return Err(Fail::new(Code::NoBarrier, "membarrier(PRIVATE_EXPEDITED_SYNC_CORE)", ""));
    }
    set_text_writable(span, true).and_then(|()| set_text_writable(span, false)).map_err(not_writable)
}

/// A plan whose text is writable until this is dropped.
pub(crate) struct Opened<'p>(&'p Plan);

impl Opened<'_> {
    /// The last thing that may be refused: a fork that will not end.
    pub(crate) fn ready(&self) -> Result<()> {
        if phase::enter(Phase::Committing) {
            Ok(())
        } else {
            Err(Fail::new(Code::OutOfResources, "the program forks all the time", ""))
        }
    }

    /// Cannot fail. Afterwards every new call runs the new versions.
    pub(crate) fn commit(&self) {
        self.0.store();
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Image {
    /// Whether it redirects the function with this slot.
    pub(crate) fn holds(&self, slot: &AtomicUsize) -> bool {
        let address = |slot: &AtomicUsize| core::ptr::from_ref(slot).addr();
        let wanted = address(slot);
        if self.sorted {
            self.redirects.binary_search_by_key(&wanted, |r| address(r.slot)).is_ok()
        } else {
            self.redirects.iter().any(|r| address(r.slot) == wanted)
        }
    }
}

fn foreign_bytes(redirect: &Redirect) -> Fail {
    let detail = "somebody else (a debugger?) has changed the first bytes of its code";
    Fail::new(Code::FunctionMismatch, redirect.function, detail)
}

/// To the new version.
fn forward(redirect: &Redirect) -> Result<Step> {
    let slot = Some((redirect.slot, redirect.body));
    match redirect.entry {
        Entry::Always { .. } => Ok(Step { slot, text: None }),
        Entry::Armed { text, base, armed, .. } => match text.load(Ordering::Acquire) {
            bytes if bytes == base || bytes == armed => Ok(Step { slot, text: Some((text, armed)) }),
            _ => Err(foreign_bytes(redirect)),
        },
    }
}

/// To the base.
fn back(redirect: &Redirect) -> Result<Step> {
    match redirect.entry {
        Entry::Always { base } => Ok(Step { slot: Some((redirect.slot, base)), text: None }),
        Entry::Armed { text, armed, .. } if text.load(Ordering::Acquire) != armed => Err(foreign_bytes(redirect)),
        Entry::Armed { text, base, .. } => Ok(Step { slot: None, text: Some((text, base)) }),
    }
}
