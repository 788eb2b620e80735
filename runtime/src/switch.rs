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

use dsu_abi::control;
use dsu_abi::wire::Code;

use crate::callback::Callback;
use crate::fail::{Fail, Result};
use crate::image::{Entry, Image, Replacement};
use crate::phase::{self, Phase};
use crate::sys::memory::{Table, TextSpan, set_text_writable};
use crate::sys::range::Visit;
use crate::sys::{Errno, linker, process};

/// Instrumented modules with patches at a time; spans of text in a plan.
pub(crate) const MODULES: usize = 64;
const SPANS: usize = 2 * MODULES;

/// The patch of each module, in no order.
pub(crate) type Patches = [Option<&'static Image>; MODULES];

/// An update: the patches in effect before and after it, on the modules it is about.
#[derive(Clone, Copy)]
pub(crate) struct VersionChange {
    pub(crate) from: Patches,
    pub(crate) to: Patches,
}

impl VersionChange {
    /// One patch, in place of `from`.
    pub(crate) fn to(image: Option<&'static Image>, from: Patches) -> Self {
        let mut to = [None; MODULES];
        let [first, ..] = &mut to;
        *first = image;
        Self { from, to }
    }

    /// The change in the other direction.
    pub(crate) fn reversed(self) -> Self {
        Self { from: self.to, to: self.from }
    }

    /// Does `step` while the modules are there; false if one has gone.
    pub(crate) fn while_loaded(&self, step: &mut dyn Callback<()>) -> bool {
        let mut done = false;
        let mut may_go = false;
        self.each_image(&mut |image: &'static Image| may_go |= image.cookie.is_some());
        let mut stand = |()| {
            let mut all = true;
            self.each_image(&mut |image: &'static Image| all &= image.is_loaded());
            all
        };
        linker::while_loaded(may_go, &mut stand, &mut |()| {
            step.call(());
            done = true;
        });
        done
    }

    /// Without the patches that `leave` tells.
    #[inline(never)]
    pub(crate) fn without(mut self, leave: &mut dyn for<'i> Callback<&'i Image, bool>) -> Self {
        for image in self.to.iter_mut().chain(&mut self.from) {
            *image = image.filter(|image| !leave.call(image));
        }
        self
    }

    /// Without the modules whose patch stays.
    pub(crate) fn without_the_same(self) -> Self {
        let Self { mut from, mut to } = self;
        for image in from.iter_mut() {
            let same =
                to.iter_mut().find(|other| image.is_some_and(|image| other.is_some_and(|o| core::ptr::eq(o, image))));
            if let Some(same) = same {
                (*image, *same) = (None, None);
            }
        }
        Self { from, to }
    }

    /// Both sides.
    #[inline(never)]
    pub(crate) fn each_image(&self, visit: &mut dyn Callback<&'static Image>) {
        for image in self.to.iter().chain(&self.from).flatten() {
            visit.call(image);
        }
    }

    /// Every function it is about, with its versions before and after; the base's is `None`. Stops at a refusal. Calls
    /// and not iterators, which the compiler writes out for each use: this is linked into every program.
    fn each_function(&self, visit: &mut dyn for<'v> Callback<&'v Versions, Result<()>>) -> Result<()> {
        let find = |side: &Patches, r: &Replacement| side.iter().flatten().find_map(|image| image.find(r.slot));
        for r in self.to.iter().flatten().flat_map(|image| image.replacements) {
            visit.call(&Versions { provider: r, older: find(&self.from, r), newer: Some(r) })?;
        }
        for r in self.from.iter().flatten().flat_map(|image| image.replacements) {
            if find(&self.to, r).is_none() {
                visit.call(&Versions { provider: r, older: Some(r), newer: None })?;
            }
        }
        Ok(())
    }

    /// Base code that changes, or changed; not that of functions that may never return.
    pub(crate) fn each_range(&self, visit: Visit<'_>) {
        self.each_image(&mut |image: &'static Image| {
            for replacement in image.replacements.iter().filter(|replacement| !replacement.never_returns) {
                visit.call(replacement.range);
            }
            image.each_range(visit);
        });
    }

    /// Whether it can be done with consistency `thread`: see [`crate::image::Verified::check_trampolines`]. What was applied
    /// with another one may lack it.
    #[inline(never)]
    pub(crate) fn check_trampolines(&self) -> Result<()> {
        self.each_function(&mut |versions: &Versions| {
            let function = versions.provider;
            let known = function.pair.is_some() && function.range.start < function.range.end;
            if known && versions.addresses().is_some() {
                return Ok(());
            }
            Err(Fail::new(Code::NoTrampoline, "the patch in effect", "it was made for consistency `newest`"))
        })
    }

    /// Tells the stubs where to go, and whom. The older version stays in the word it is in: see [`control`].
    fn set_pairs(&self, target: u32, newer_is_second: bool) -> Result<()> {
        self.each_function(&mut |versions: &Versions| {
            if let (Some([first, second]), Some([newer, older])) = (versions.provider.pair, versions.addresses()) {
                let in_order = if newer_is_second { [older, newer] } else { [newer, older] };
                for (word, address) in [first, second].into_iter().zip(in_order) {
                    word.store(address, Ordering::Release);
                }
            }
            Ok(())
        })?;
        let threshold = control::threshold(target, newer_is_second);
        self.each_image(&mut |image: &'static Image| {
            if let Some(word) = image.threshold {
                word.store(threshold as usize, Ordering::Release);
            }
        });
        Ok(())
    }
}

/// A function and two of its versions.
struct Versions {
    /// Has the stub.
    provider: &'static Replacement,
    older: Option<&'static Replacement>,
    newer: Option<&'static Replacement>,
}

impl Versions {
    /// Where newer and older version are while the entry is armed.
    #[inline(never)]
    fn addresses(&self) -> Option<[usize; 2]> {
        let base = match self.provider.entry {
            Entry::Always { base } => Some(base),
            Entry::Armed { .. } => Some(self.provider.original).filter(|original| *original != 0),
        };
        let address = |version: Option<&Replacement>| version.map(|r| r.body).or(base);
        Some([address(self.newer)?, address(self.older)?])
    }
}

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

    /// A plan after which every call runs the versions after the update.
    pub(crate) fn completed(update: &VersionChange) -> Result<Self> {
        Self::of(update, false)
    }

    /// A plan after which each thread runs the versions of its generation: the newer ones from `target` on.
    pub(crate) fn transition(update: &VersionChange, target: u32, newer_is_second: bool) -> Result<Self> {
        update.check_trampolines()?;
        update.set_pairs(target, newer_is_second)?;
        Self::of(update, true)
    }

    #[inline(never)]
    fn of(update: &VersionChange, by_stub: bool) -> Result<Self> {
        let no_memory = |errno| Fail::system(Code::OutOfResources, errno, "memory for the plan of the update");
        let mut capacity = 0;
        update.each_image(&mut |image: &'static Image| capacity += image.replacements.len());
        let mut plan = Self { steps: Table::with_capacity(capacity).map_err(no_memory)?, spans: [None; SPANS] };
        update.each_function(&mut |versions: &Versions| {
            let step = match (versions.newer, versions.older) {
                _ if by_stub => forward(versions.provider, versions.provider.stub)?,
                (Some(newer), _) => forward(newer, newer.body)?,
                (None, Some(older)) => back(older)?,
                (None, None) => return Ok(()),
            };
            plan.steps.push(step).map_err(no_memory)
        })?;
        let mut places = plan.spans.iter_mut();
        update.each_image(&mut |image: &'static Image| {
            if let (Some(span), Some(place)) = (image.text, places.next()) {
                *place = Some(span);
            }
        });
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

pub(crate) fn not_writable(errno: Errno) -> Fail {
    Fail::system(Code::TextNotWritable, errno, "")
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

fn foreign_bytes(replacement: &Replacement) -> Fail {
    let detail = "somebody else (a debugger?) has changed the first bytes of its code";
    Fail::new(Code::FunctionMismatch, replacement.function, detail)
}

/// Through the slot, to `address`.
fn forward(replacement: &Replacement, address: usize) -> Result<Step> {
    let slot = Some((replacement.slot, address));
    match replacement.entry {
        Entry::Always { .. } => Ok(Step { slot, text: None }),
        Entry::Armed { text, base, armed, .. } => match text.load(Ordering::Acquire) {
            bytes if bytes == base || bytes == armed => Ok(Step { slot, text: Some((text, armed)) }),
            _ => Err(foreign_bytes(replacement)),
        },
    }
}

/// To the base.
fn back(replacement: &Replacement) -> Result<Step> {
    match replacement.entry {
        Entry::Always { base } => Ok(Step { slot: Some((replacement.slot, base)), text: None }),
        Entry::Armed { text, armed, .. } if text.load(Ordering::Acquire) != armed => Err(foreign_bytes(replacement)),
        Entry::Armed { text, base, .. } => Ok(Step { slot: None, text: Some((text, base)) }),
    }
}
