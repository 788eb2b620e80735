//! What is loaded and applied, and the three requests. Only the runtime's thread comes here (and the only thread of
//! a child just forked), so there are no locks.

use core::iter;

use dsu_abi::wire::Code;

use crate::fail::{Fail, Result};
use crate::generation;
use crate::image::{Image, Verified};
use crate::phase::{self, Phase};
use crate::switch::{MODULES, Plan};
use crate::sys::loader::{Module, Pinned, each_module};
use crate::sys::memory::Table;
use crate::sys::turn::Owned;
use crate::sys::{Errno, Fd, process};

/// A patch in effect.
#[derive(Clone, Copy)]
pub(crate) struct Active {
    pub(crate) image: &'static Image,
    pub(crate) generation: u32,
}

/// What an update leaves behind in the tables.
#[derive(Clone, Copy)]
struct Change {
    new: Option<&'static Image>,
    generation: u32,
}

/// See the module's description.
pub(crate) struct State {
    images: Option<&'static Image>,
    active: [Option<Active>; MODULES],
    pub(crate) generation: u32,
    plan: Plan,
    change: Option<Change>,
}

/// The one of this process.
pub(crate) static STATE: Owned<State> =
    Owned::new(State { images: None, active: [None; MODULES], generation: 0, plan: Plan::empty(), change: None });

/// What was done, for the answer.
pub(crate) struct Outcome {
    pub(crate) new: Option<&'static Image>,
    /// What was in effect before.
    pub(crate) old: [Option<Active>; MODULES],
    pub(crate) already: bool,
    pub(crate) reused: bool,
    pub(crate) map_ns: u64,
    pub(crate) prepare_ns: u64,
    pub(crate) commit_ns: u64,
}

impl State {
    /// Images in memory, latest first.
    pub(crate) fn images(&self) -> impl Iterator<Item = &'static Image> + use<> {
        iter::successors(self.images, |image| image.next)
    }

    /// The patch in effect on a module.
    pub(crate) fn active_on(&self, module: &Module) -> Option<Active> {
        self.active.iter().flatten().find(|active| active.image.module == module.bias).copied()
    }

    /// Applies the patch in `file`; a different one on the same module is replaced in the same switch.
    pub(crate) fn apply(&mut self, file: &Fd) -> Result<Outcome> {
        let begin = process::now_ns();
        let patch = Verified::read(file)?;
        let modules = modules().map_err(|errno| Fail::system(Code::OutOfResources, errno, "memory for modules"))?;
        let found = modules.as_slice().iter().find(|module| patch.fits(module));
        let module = found.ok_or_else(|| Fail::new(Code::WrongBuildId, patch.wanted().as_str(), ""))?;
        let known = self.images().find(|i| i.checksum == patch.checksum && i.module == module.bias);
        if let Some(active) = self.active_on(module)
            && known.is_some_and(|image| core::ptr::eq(image, active.image))
        {
            let now = process::now_ns();
            return Ok(Outcome::nothing(known, self.active, now.wrapping_sub(begin)));
        }
        let image = match known {
            Some(image) => image,
            None => self.load(patch, module)?,
        };
        let mapped = process::now_ns();
        let replaced = |active: Active| (active.image.module == image.module).then_some(active.image);
        let plan = Plan::new(Some(image), &self.active.map(|active| active.and_then(replaced)))?;
        self.switch(plan, Some(image), known.is_some(), [begin, mapped])
    }

    /// Brings every function back to the base.
    pub(crate) fn revert(&mut self) -> Result<Outcome> {
        let begin = process::now_ns();
        if self.active.iter().all(Option::is_none) {
            return Err(Fail::new(Code::NothingApplied, "", ""));
        }
        let plan = Plan::new(None, &self.active.map(|active| active.map(|active| active.image)))?;
        self.switch(plan, None, false, [begin, begin])
    }

    /// Loads an image and puts it on the list.
    fn load(&mut self, patch: Verified, module: &Module) -> Result<&'static Image> {
        let no_memory = |errno| Fail::system(Code::OutOfResources, errno, "memory for the patch's tables");
        if self.active_on(module).is_none() && self.active.iter().all(Option::is_some) {
            return Err(Fail::new(Code::OutOfResources, "64 modules have patches, no more are kept", ""));
        }
        let mut home = Table::with_capacity(1).map_err(no_memory)?;
        let gone = || Fail::new(Code::WrongBuildId, patch.wanted().as_str(), "the module was unloaded meanwhile");
        let base = Pinned::new(module).ok_or_else(gone)?;
        home.push(Image { next: self.images, ..patch.load(&base)? }).map_err(no_memory)?;
        let image = home.leak().first().ok_or_else(|| no_memory(Errno::NOMEM))?;
        self.images = Some(image);
        Ok(image)
    }

    fn switch(
        &mut self,
        plan: Plan,
        new: Option<&'static Image>,
        reused: bool,
        [begin, mapped]: [u64; 2],
    ) -> Result<Outcome> {
        let old = self.active;
        self.plan = plan;
        self.change = Some(Change { new, generation: self.generation.wrapping_add(1) });
        let opened = self.plan.open()?;
        opened.ready()?;
        let prepared = process::now_ns();
        opened.commit();
        let committed = process::now_ns();
        drop(opened);
        self.record();
        phase::leave();
        Ok(Outcome {
            new,
            old,
            already: false,
            reused,
            map_ns: mapped.wrapping_sub(begin),
            prepare_ns: prepared.wrapping_sub(mapped),
            commit_ns: committed.wrapping_sub(prepared),
        })
    }

    /// Enters a committed change into the tables. Doing it twice is doing it once.
    fn record(&mut self) {
        let Some(change) = self.change else { return };
        match change.new {
            None => self.active = [None; MODULES],
            Some(image) => {
                let same = self.active.iter().position(|a| a.is_some_and(|a| a.image.module == image.module));
                let place = same.or_else(|| self.active.iter().position(Option::is_none));
                if let Some(place) = place.and_then(|at| self.active.get_mut(at)) {
                    *place = Some(Active { image, generation: change.generation });
                }
            }
        }
        self.generation = change.generation;
        generation::publish(change.generation);
    }

    /// In a child just forked: finishes what its parent was at, so that it is updated wholly or not at all.
    pub(crate) fn after_fork(&mut self, phase: Phase) {
        match phase {
            Phase::Idle | Phase::Loading => {}
            Phase::Opened => self.plan.close(),
            Phase::Committing => {
                self.plan.finish();
                self.record();
            }
        }
    }
}

impl Outcome {
    fn nothing(image: Option<&'static Image>, old: [Option<Active>; MODULES], map_ns: u64) -> Self {
        Self { new: image, old, already: true, reused: true, map_ns, prepare_ns: 0, commit_ns: 0 }
    }

    /// Functions whose version changed: those of the new patch, and those only the old ones had.
    pub(crate) fn returned(&self) -> impl Iterator<Item = &'static crate::image::Redirect> {
        let new = self.new;
        let replaced = self.old.iter().flatten().map(|active| active.image);
        let replaced = replaced.filter(move |old| new.is_none_or(|new| new.module == old.module));
        replaced.flat_map(|image| image.redirects).filter(move |r| !new.is_some_and(|new| new.holds(r.slot)))
    }
}

/// The instrumented modules of the process.
pub(crate) fn modules() -> core::result::Result<Table<Module>, Errno> {
    let mut modules = Table::with_capacity(MODULES)?;
    // Patch objects are found under the name `Verified::link` gave them; they are no modules of the program. More
    // modules than the table holds are as if not instrumented.
    each_module(|module| {
        if !module.path.as_bytes().starts_with(b"/proc/") {
            let _full = modules.push(module);
        }
    });
    Ok(modules)
}
