//! Which patches are in effect, and what reverts go back to.

use dsu_abi::wire::Code;

use crate::fail::{Fail, Result};
use crate::image::Image;
use crate::switch::{MODULES, Patches};
use crate::sys::modules::Module;
use crate::transition::Transition;

/// A patch in effect.
#[derive(Clone, Copy)]
pub(crate) struct Active {
    pub(crate) image: &'static Image,
    pub(crate) generation: u32,
    /// It was applied with consistency `thread`, and so will be its revert.
    pub(crate) thread: bool,
}

/// What a revert goes back to: the patches before an update.
#[derive(Clone, Copy)]
pub(crate) struct UndoEntry {
    pub(crate) active: [Option<Active>; MODULES],
    /// Generation of the update.
    generation: u32,
}

/// Reverts that can be done one after the other; older patches are forgotten.
const UNDO: usize = 16;

/// What an update leaves behind in the tables.
#[derive(Clone, Copy)]
pub(crate) struct Change {
    pub(crate) active: [Option<Active>; MODULES],
    pub(crate) generation: u32,
    /// A revert forgets what it goes back to; an apply remembers what it replaces.
    pub(crate) remember: bool,
    /// To the base: nothing is left to go back to.
    pub(crate) forget_all: bool,
    pub(crate) transition: Option<Transition>,
}

/// See the module's description.
pub(crate) struct History {
    pub(crate) active: [Option<Active>; MODULES],
    pub(crate) undo: [Option<UndoEntry>; UNDO],
    /// Generation of threads that have nothing left to do.
    pub(crate) generation: u32,
    /// The last number given to a generation.
    pub(crate) numbered: u32,
}

/// A loop and not `map`, which the compiler writes out 64 times.
#[inline(never)]
pub(crate) fn images_of(active: &[Option<Active>; MODULES]) -> Patches {
    let mut images = [None; MODULES];
    for (image, active) in images.iter_mut().zip(active) {
        *image = active.as_ref().map(|active| active.image);
    }
    images
}

impl History {
    /// Nothing applied yet.
    pub(crate) const fn new() -> Self {
        Self { active: [None; MODULES], undo: [None; UNDO], generation: 0, numbered: 0 }
    }

    /// The patch in effect on a module.
    pub(crate) fn active_on(&self, module: &Module) -> Option<Active> {
        self.active.iter().flatten().find(|active| active.image.module == module.bias).copied()
    }

    /// The patches that reverts go back to, the next one first; `None` is the base.
    pub(crate) fn undo_on(&self, module: &Module) -> impl Iterator<Item = Option<Active>> {
        let on = |undo: &UndoEntry| undo.active.iter().flatten().find(|a| a.image.module == module.bias).copied();
        self.undo.iter().rev().flatten().map(on)
    }

    /// The tables with `image` in effect.
    pub(crate) fn change_to(&self, image: &'static Image, thread: bool) -> Result<Change> {
        let generation = self.numbered.wrapping_add(1);
        let mut active = self.active;
        let same = active.iter().position(|a| a.is_some_and(|a| a.image.module == image.module));
        let place = same.or_else(|| active.iter().position(Option::is_none)).and_then(|at| active.get_mut(at));
        let full = || Fail::new(Code::OutOfResources, "64 modules have patches, no more are kept", "");
        *place.ok_or_else(full)? = Some(Active { image, generation, thread });
        Ok(Change { active, generation, remember: true, forget_all: false, transition: None })
    }

    /// The tables as they were before an update that was cancelled.
    pub(crate) fn unchanged(&self) -> Change {
        let (active, generation) = (self.active, self.generation);
        Change { active, generation, remember: false, forget_all: false, transition: None }
    }

    /// Enters a change whose threads have all moved. Doing it twice is doing it once.
    pub(crate) fn enter(&mut self, change: &Change) {
        if change.forget_all {
            self.undo = [None; UNDO];
        } else if change.remember {
            self.remember(change.generation);
        } else if self.generation != change.generation
            && let Some(last) = self.undo.iter_mut().rev().find(|undo| undo.is_some())
        {
            *last = None;
        }
        self.active = change.active;
        self.generation = change.generation;
        if !change.remember {
            self.forget_same();
        }
    }

    fn remember(&mut self, generation: u32) {
        if self.undo.iter().flatten().any(|undo| undo.generation == generation) {
            return;
        }
        if self.undo.iter().all(Option::is_some) {
            self.undo.rotate_left(1);
            let [.., last] = &mut self.undo;
            *last = None;
        }
        if let Some(free) = self.undo.iter_mut().find(|undo| undo.is_none()) {
            *free = Some(UndoEntry { active: self.active, generation });
        }
    }

    /// Forgets what a revert would go back to as long as that is what is in effect.
    pub(crate) fn forget_same(&mut self) {
        while let Some(last) = self.undo.iter_mut().rev().find(|undo| undo.is_some()) {
            let generation = |active: &Option<Active>| active.as_ref().map_or(0, |active| active.generation);
            let same = |undo: &UndoEntry| undo.active.iter().map(generation).eq(self.active.iter().map(generation));
            if !last.as_ref().is_some_and(same) {
                break;
            }
            *last = None;
        }
    }
}
