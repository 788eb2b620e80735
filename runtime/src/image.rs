//! A patch in memory: the functions it replaces, the variables it adds, and where its code is.

use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize, Ordering};

use dsu_abi::patch::Hooks;

use crate::sys::Errno;
use crate::sys::dlopen::SharedObject;
use crate::sys::memory::{SealedCopy, Table, TextSpan, set_code_present};
use crate::sys::modules::Cookie;
use crate::sys::range::{Range, Visit};

/// One function of an image, ready to be switched to.
#[derive(Clone, Copy)]
pub(crate) struct Replacement {
    /// Where every version is called through.
    pub(crate) slot: &'static AtomicUsize,
    /// New version.
    pub(crate) body: usize,
    /// How calls reach the slot.
    pub(crate) entry: Entry,
    /// Dispatch stub; 0 when there is none.
    pub(crate) stub: usize,
    /// Where the stub goes.
    pub(crate) pair: Option<&'static [AtomicUsize; 2]>,
    /// Original-code trampoline: into the base's version while the entry is armed; 0 when there is none.
    pub(crate) original: usize,
    /// The base's version.
    pub(crate) range: Range,
    /// It may never return: nobody waits for it.
    pub(crate) never_returns: bool,
    pub(crate) line: u32,
    pub(crate) function: &'static str,
    pub(crate) unit: &'static str,
}

/// What switching means at the function's entry.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// Two bytes of text, as the base has them and as they are when armed.
    Armed { text: &'static AtomicU16, base: u16, armed: u16, address: usize },
    /// Only the slot; its value in the base.
    Always { base: usize },
}

/// A variable that the image adds.
#[derive(Clone, Copy)]
pub(crate) struct Persistent {
    pub(crate) identity: u64,
    pub(crate) shape: u64,
    pub(crate) size: u64,
    /// Where its value is: in the first image that added it.
    pub(crate) storage: usize,
}

impl Persistent {
    /// Takes the storage it has in an image; false if the image has another variable of that name.
    pub(crate) fn goes_on_from(&mut self, image: &Image) -> bool {
        let mut same = true;
        for other in image.persistent.iter().filter(|other| other.identity == self.identity) {
            if other.shape == self.shape && other.size == self.size {
                self.storage = other.storage;
            } else {
                same = false;
            }
        }
        same
    }
}

/// A loaded patch. Its data stays as long as the module it is for; its code goes when nothing can return into it.
pub(crate) struct Image {
    /// An address of code that only this patch has is kept somewhere.
    pub(crate) address_taken: bool,
    /// Its executable pages.
    pub(crate) code: Range,
    /// Bytes of everything else.
    pub(crate) data: u64,
    /// What the patch wants called, as addresses.
    pub(crate) hooks: Hooks,
    pub(crate) persistent: &'static [Persistent],
    /// Word of the control block that tells stubs which version is for whom: see [`control::threshold`].
    pub(crate) threshold: Option<&'static AtomicUsize>,
    /// Its code has been taken away.
    pub(crate) reclaimed: AtomicBool,
    pub(crate) name: &'static str,
    pub(crate) checksum: [u8; 32],
    /// Load bias of the module it is for.
    pub(crate) module: usize,
    /// By what to know that the module is still there.
    pub(crate) cookie: Option<Cookie>,
    /// It is not.
    pub(crate) gone: AtomicBool,
    pub(crate) replacements: &'static [Replacement],
    /// Whether `replacements` ascend by slot.
    pub(crate) sorted: bool,
    /// The text that arming writes to.
    pub(crate) text: Option<TextSpan>,
    /// The image loaded before it.
    pub(crate) next: AtomicPtr<Image>,
    /// What all of this refers to.
    pub(crate) _memory: (SharedObject, SealedCopy, Table<Replacement>, Table<Persistent>),
}

impl Image {
    /// Whether the module it is for is still there.
    pub(crate) fn is_loaded(&self) -> bool {
        self.cookie.is_none_or(Cookie::stands)
    }

    /// Its version of the function with this slot.
    pub(crate) fn find(&self, slot: &AtomicUsize) -> Option<&'static Replacement> {
        let address = |slot: &AtomicUsize| core::ptr::from_ref(slot).addr();
        let wanted = address(slot);
        if self.sorted {
            let at = self.replacements.binary_search_by_key(&wanted, |r| address(r.slot)).ok()?;
            self.replacements.get(at)
        } else {
            self.replacements.iter().find(|r| address(r.slot) == wanted)
        }
    }

    /// The image loaded before it.
    pub(crate) fn next(&self) -> Option<&'static Self> {
        // SAFETY: null or an image, which `State::forget_closed` takes off the list before it drops it.
        unsafe { self.next.load(Ordering::Relaxed).as_ref() }
    }

    /// Puts another one after it.
    pub(crate) fn set_next(&self, next: Option<&'static Self>) {
        let next = next.map_or(core::ptr::null(), core::ptr::from_ref);
        self.next.store(next.cast_mut(), Ordering::Relaxed);
    }

    /// Takes its code away, or gives it back.
    pub(crate) fn set_present(&self, present: bool) -> core::result::Result<(), Errno> {
        if self.reclaimed.load(Ordering::Relaxed) == present {
            set_code_present(self.code.start, self.code.end - self.code.start, present)?;
            self.reclaimed.store(!present, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The function whose new version an address lies in, as well as the tables tell.
    pub(crate) fn function_at(&self, address: usize) -> Option<&'static Replacement> {
        let before = self.replacements.iter().filter(|replacement| replacement.body <= address);
        before.max_by_key(|replacement| replacement.body).filter(|_| self.code.holds(address))
    }

    /// Its code, but for functions that may never return.
    pub(crate) fn each_range(&self, visit: Visit<'_>) {
        if !self.replacements.iter().any(|replacement| replacement.never_returns) {
            return visit.call(self.code);
        }
        for replacement in self.replacements.iter().filter(|replacement| !replacement.never_returns) {
            let after = self.replacements.iter().map(|other| other.body).filter(|body| *body > replacement.body).min();
            visit.call(Range { start: replacement.body, end: after.unwrap_or(self.code.end) });
        }
    }
}
