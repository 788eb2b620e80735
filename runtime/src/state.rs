//! What is loaded and applied, and the requests. Only the runtime's thread comes here (and the only thread of a child
//! just forked), so there are no locks.

mod closed;

use core::iter;

use dsu_abi::wire::{Apply, Code, Revert, Wish};

use crate::fail::{Fail, Result};
use crate::image::{Image, Redirect, UNLOADED, Verified};
use crate::listing;
use crate::outcome::{Outcome, ask, notify};
use crate::phase::{self, Phase};
use crate::reclaim::{self, Reclaim};
use crate::scan::{Ranges, Task, Visit};
use crate::switch::{MODULES, Move, Patches, Plan};
use crate::sys::loader::{Module, each_module};
use crate::sys::memory::Table;
use crate::sys::turn::Owned;
use crate::sys::{Errno, Fd, process};
use crate::threads;
use crate::transition::{self, Census, Rounds, Transition};

/// A patch in effect.
#[derive(Clone, Copy)]
pub(crate) struct Active {
    pub(crate) image: &'static Image,
    pub(crate) generation: u32,
    /// It was applied with consistency `thread`, and so will be its revert.
    thread: bool,
}

/// What a revert goes back to: the patches before an update.
#[derive(Clone, Copy)]
struct Former {
    active: [Option<Active>; MODULES],
    /// Generation of the update.
    generation: u32,
}

/// Reverts that can be done one after the other; older patches are forgotten.
const FORMER: usize = 16;

/// What an update leaves behind in the tables.
#[derive(Clone, Copy)]
struct Change {
    active: [Option<Active>; MODULES],
    generation: u32,
    /// A revert forgets what it goes back to; an apply remembers what it replaces.
    remember: bool,
    /// To the base: nothing is left to go back to.
    forget_all: bool,
    transition: Option<Transition>,
}

/// See the module's description.
pub(crate) struct State {
    images: Option<&'static Image>,
    active: [Option<Active>; MODULES],
    former: [Option<Former>; FORMER],
    /// Generation of threads that have nothing left to do.
    pub(crate) generation: u32,
    /// The last number given to a generation.
    numbered: u32,
    plan: Plan,
    change: Option<Change>,
    pub(crate) transition: Option<Transition>,
    /// Which word of a stub holds the version that the last transition has left in effect.
    settled_is_second: bool,
    /// The tables as they are when the transition is complete.
    after: Option<Change>,
    rounds: Rounds,
    program: Ranges,
    reclaim: Option<Reclaim>,
    /// Something may be waiting to be unmapped.
    waste: bool,
    /// How often threads were looked at in vain, and how long the last time took.
    looked: u32,
    look_ns: u64,
}

/// The one of this process.
pub(crate) static STATE: Owned<State> = Owned::new(State {
    images: None,
    active: [None; MODULES],
    former: [None; FORMER],
    generation: 0,
    numbered: 0,
    plan: Plan::empty(),
    change: None,
    transition: None,
    settled_is_second: false,
    after: None,
    rounds: Rounds::new(),
    program: Ranges::empty(),
    reclaim: None,
    waste: false,
    looked: 0,
    look_ns: 0,
});

/// What to switch to, and how.
struct Order {
    update: Move,
    change: Change,
    thread: bool,
    timeout_ms: u32,
    reused: bool,
    new: Option<&'static Image>,
    /// When the request came, and when its image was in memory.
    times: [u64; 2],
}

/// A loop and not `map`, which the compiler writes out 64 times.
#[inline(never)]
fn images_of(active: &[Option<Active>; MODULES]) -> Patches {
    let mut images = [None; MODULES];
    for (image, active) in images.iter_mut().zip(active) {
        *image = active.as_ref().map(|active| active.image);
    }
    images
}

impl State {
    /// Images in memory, latest first.
    pub(crate) fn images(&self) -> impl Iterator<Item = &'static Image> + Clone + use<> {
        iter::successors(self.images, |image| image.next())
    }

    /// The patch in effect on a module.
    pub(crate) fn active_on(&self, module: &Module) -> Option<Active> {
        self.active.iter().flatten().find(|active| active.image.module == module.bias).copied()
    }

    /// The patches that reverts go back to, the next one first; `None` is the base.
    pub(crate) fn former_on(&self, module: &Module) -> impl Iterator<Item = Option<Active>> {
        let on = |former: &Former| former.active.iter().flatten().find(|a| a.image.module == module.bias).copied();
        self.former.iter().rev().flatten().map(on)
    }

    /// Applies the patch in `file`; a different one on the same module is replaced in the same switch.
    pub(crate) fn apply(&mut self, file: &Fd, wish: &Apply) -> Result<Outcome> {
        let begin = process::now_ns();
        if self.transition.is_some() {
            return Err(Fail::new(Code::TransitionInProgress, "", ""));
        }
        let patch = Verified::read(file)?;
        let modules = modules().map_err(|errno| Fail::system(Code::OutOfResources, errno, "memory for modules"))?;
        let found = modules.as_slice().iter().find(|module| patch.fits(module));
        let module = found.ok_or_else(|| Fail::new(Code::WrongBuildId, patch.wanted().as_str(), ""))?;
        let known = self.images().find(|i| i.checksum == patch.checksum && i.module == module.bias);
        let active = self.active_on(module);
        if let (Some(active), Some(image)) = (active, known)
            && core::ptr::eq(image, active.image)
        {
            return Ok(Outcome::nothing(image, self.generation, process::now_ns().wrapping_sub(begin)));
        }
        let thread = match wish.wish {
            Wish::Patch => patch.wants_thread(),
            Wish::Newest => false,
            Wish::Thread => true,
        };
        if thread {
            if !listing::is_possible() {
                return Err(Fail::new(Code::NoProc, "", ""));
            }
            // Idle regions are not counted in the notes, but whoever was in one is known.
            if modules.as_slice().iter().all(|module| module.points == 0) && !threads::has_passed() {
                return Err(Fail::new(Code::NoPoints, "", ""));
            }
            patch.check_ways()?;
        }
        let image = match known {
            Some(image) => image,
            None => self.load(patch, module)?,
        };
        let mut from = [None; MODULES];
        let [first, ..] = &mut from;
        *first = active.map(|active| active.image);
        let order = Order {
            update: Move::to(Some(image), from),
            change: self.change_to(image, thread)?,
            thread,
            timeout_ms: wish.timeout_ms,
            reused: known.is_some(),
            new: Some(image),
            times: [begin, process::now_ns()],
        };
        ask(image.hooks.pre_apply, "dsu_pre_apply")?;
        self.switch(order)
    }

    /// Goes back to the patches before the last update, or to the base; turns back an update that is moving threads.
    pub(crate) fn revert(&mut self, wish: &Revert) -> Result<Outcome> {
        let begin = process::now_ns();
        if let Some(transition) = self.transition {
            return self.turn_back(transition, begin);
        }
        if self.active.iter().all(Option::is_none) {
            return Err(Fail::new(Code::NothingApplied, "", ""));
        }
        let former = self.former.iter().rev().flatten().next().filter(|_| !wish.to_base);
        let target = former.map_or([None; MODULES], |former| former.active);
        let update = Move { from: images_of(&self.active), to: images_of(&target) }.without_the_same();
        let thread = self.active.iter().flatten().any(|active| active.thread)
            && update.check_ways().is_ok()
            && listing::is_possible();
        for image in update.from.iter().flatten() {
            ask(image.hooks.pre_revert, "dsu_pre_revert")?;
        }
        let order = Order {
            update,
            change: Change {
                active: target,
                generation: self.numbered.wrapping_add(1),
                remember: false,
                forget_all: former.is_none(),
                transition: None,
            },
            thread,
            timeout_ms: wish.timeout_ms,
            reused: false,
            new: None,
            times: [begin, begin],
        };
        self.switch(order)
    }

    /// The tables with `image` in effect.
    fn change_to(&self, image: &'static Image, thread: bool) -> Result<Change> {
        let generation = self.numbered.wrapping_add(1);
        let mut active = self.active;
        let same = active.iter().position(|a| a.is_some_and(|a| a.image.module == image.module));
        let place = same.or_else(|| active.iter().position(Option::is_none)).and_then(|at| active.get_mut(at));
        let full = || Fail::new(Code::OutOfResources, "64 modules have patches, no more are kept", "");
        *place.ok_or_else(full)? = Some(Active { image, generation, thread });
        Ok(Change { active, generation, remember: true, forget_all: false, transition: None })
    }

    /// Loads an image and puts it on the list.
    fn load(&mut self, patch: Verified, module: &Module) -> Result<&'static Image> {
        let (bias, mark) = (module.bias, module.mark);
        let earlier = self.images().filter(move |image| image.module == bias && image.mark == mark);
        let active = self.active_on(module).map(|active| active.image);
        let image = patch.load(module, active, earlier)?;
        image.set_next(self.images);
        self.images = Some(image);
        Ok(image)
    }

    fn switch(&mut self, order: Order) -> Result<Outcome> {
        let Order { update, mut change, thread, .. } = order;
        let no_memory = |errno| Fail::system(Code::OutOfResources, errno, "memory for the patch's code");
        let mut present = Ok(());
        update.each_image(&mut |image| present = present.and_then(|()| image.set_present(true)));
        present.map_err(no_memory)?;
        // Whatever was being proven is about to change.
        self.reclaim = None;
        self.waste = true;
        let target = change.generation;
        let begun = process::now_ns();
        let transition = Transition {
            update,
            from: self.generation,
            to: target,
            revert: !change.remember,
            turned_back: false,
            begun_ns: begun,
            timeout_ms: order.timeout_ms,
        };
        let task = if thread { Some(self.task_of(&transition)?) } else { None };
        change.transition = thread.then_some(transition);
        let mut done = Err(None);
        update.while_loaded(&mut || done = self.commit(&update, change).map_err(Some));
        let unloaded = |fail: Option<Fail>| fail.unwrap_or_else(|| Fail::new(Code::WrongBuildId, "", UNLOADED));
        let [prepared, committed] = done.map_err(unloaded)?;
        self.record();
        match task {
            Some(task) => self.begin_moving(task, target),
            None => threads::set_birth(target),
        }
        phase::leave();
        if !thread {
            notify(&transition);
        }
        self.looked = 0;
        self.poll();
        let [begin, mapped] = order.times;
        Ok(Outcome {
            new: order.new,
            update,
            generation: target,
            already: false,
            reused: order.reused,
            thread,
            complete: self.transition.is_none(),
            map_ns: mapped.wrapping_sub(begin),
            prepare_ns: prepared.wrapping_sub(mapped),
            commit_ns: committed.wrapping_sub(prepared),
        })
    }

    /// Prepares a change and stores it; when it was ready, and when it was done.
    fn commit(&mut self, update: &Move, change: Change) -> Result<[u64; 2]> {
        let (target, newer_is_second) = (change.generation, !self.settled_is_second);
        let thread = change.transition.is_some();
        self.plan = if thread { Plan::transition(update, target, newer_is_second)? } else { Plan::settled(update)? };
        self.change = Some(change);
        let opened = self.plan.open()?;
        opened.ready()?;
        let prepared = process::now_ns();
        if thread {
            threads::set_threshold(target, newer_is_second);
        }
        opened.commit();
        Ok([prepared, process::now_ns()])
    }

    /// What a transition asks of threads.
    fn task_of(&mut self, transition: &Transition) -> Result<Task> {
        let no_memory = |errno| Fail::system(Code::OutOfResources, errno, "memory for what threads look for");
        let update = &transition.update;
        let changed = Ranges::collect(&|visit| update.each_range(visit)).map_err(no_memory)?;
        let modules = modules().map_err(no_memory)?;
        let images = self.images;
        let own = |visit: Visit<'_>| each_code(modules.as_slice(), images, visit);
        self.program = Ranges::collect(&own).map_err(no_memory)?;
        Ok(Task { goal: transition.goal(), changed, retired: Ranges::empty() })
    }

    /// The stubs are in place: threads may move from here on.
    fn begin_moving(&mut self, task: Task, target: u32) {
        transition::sweep();
        // Without memory for a page, threads move when the runtime looks at them; it tries again then.
        let _begun = self.rounds.begin(task);
        self.settle_births(target);
    }

    /// Threads that were there when the stubs came are given the old generation, those that come later the new one: as
    /// soon as it is certain that the former are all known. False as long as it is not.
    fn settle_births(&self, goal: u32) -> bool {
        if threads::birth() != goal && transition::enrol(self.generation) == Ok(true) {
            threads::set_birth(goal);
        }
        threads::birth() == goal
    }

    /// Enters a committed change into the tables. Doing it twice is doing it once.
    fn record(&mut self) {
        let Some(change) = self.change else { return };
        self.numbered = change.generation;
        self.transition = change.transition;
        if change.transition.is_some() {
            self.after = Some(Change { transition: None, ..change });
            return;
        }
        if change.forget_all {
            self.former = [None; FORMER];
        } else if change.remember {
            self.remember(change.generation);
        } else if self.generation != change.generation
            && let Some(last) = self.former.iter_mut().rev().find(|former| former.is_some())
        {
            *last = None;
        }
        self.active = change.active;
        self.generation = change.generation;
        self.after = None;
        if !change.remember {
            self.forget_same();
        }
    }

    fn remember(&mut self, generation: u32) {
        if self.former.iter().flatten().any(|former| former.generation == generation) {
            return;
        }
        if self.former.iter().all(Option::is_some) {
            self.former.rotate_left(1);
            let [.., last] = &mut self.former;
            *last = None;
        }
        if let Some(free) = self.former.iter_mut().find(|former| former.is_none()) {
            *free = Some(Former { active: self.active, generation });
        }
    }

    fn turn_back(&mut self, transition: Transition, begin: u64) -> Result<Outcome> {
        if !transition.turned_back {
            for image in transition.update.to.iter().flatten().filter(|_| !transition.revert) {
                ask(image.hooks.pre_revert, "dsu_pre_revert")?;
            }
            self.turn(transition)?;
        }
        self.looked = 0;
        self.poll();
        Ok(Outcome {
            new: None,
            update: transition.update.reversed(),
            generation: transition.from,
            already: transition.turned_back,
            reused: false,
            thread: true,
            complete: self.transition.is_none(),
            map_ns: 0,
            prepare_ns: process::now_ns().wrapping_sub(begin),
            commit_ns: 0,
        })
    }

    /// Threads that have moved are to go back, the others have nothing to do.
    fn turn(&mut self, transition: Transition) -> Result<()> {
        let back = Transition { turned_back: true, ..transition };
        let task = self.task_of(&back)?;
        threads::set_birth(back.from);
        let begun = self.rounds.begin(task);
        begun.map_err(|errno| Fail::system(Code::OutOfResources, errno, "memory for what threads look for"))?;
        self.transition = Some(back);
        self.after = None;
        Ok(())
    }

    /// Goes on with what is in progress.
    pub(crate) fn poll(&mut self) {
        self.looked = self.looked.saturating_add(1);
        if let Some(transition) = self.transition {
            if transition.is_late() {
                // Without memory it stays late, and this is tried again.
                let _turned = self.turn(transition);
            }
            self.move_on();
        }
        if self.transition.is_none() && self.waste {
            self.unmap();
        }
    }

    fn census(&mut self) -> Census {
        let begin = process::now_ns();
        let census = transition::look_around(&self.rounds, &self.program, self.transition.as_ref());
        self.look_ns = process::now_ns().wrapping_sub(begin);
        // Where threads cannot be listed or memory is short, nobody is known to have moved.
        census.unwrap_or(Census::NOTHING)
    }

    /// Looks at the threads; ends the transition when all have moved.
    fn move_on(&mut self) {
        let Some(transition) = self.transition else { return };
        let births = self.settle_births(transition.goal());
        if !self.census().all_moved() || !births {
            return;
        }
        let update = if transition.turned_back { transition.update.reversed() } else { transition.update };
        // The stubs serve just as well: what fails now is tried again.
        if !phase::enter(Phase::Loading) {
            return;
        }
        let change = self.after.unwrap_or(self.unchanged());
        let mut settled = false;
        update.while_loaded(&mut || settled = self.commit(&update, change).is_ok());
        if settled {
            self.settled_is_second ^= !transition.turned_back;
            self.record();
            threads::set_birth(self.generation);
            self.looked = 0;
        }
        phase::leave();
        if settled {
            notify(&transition);
        }
    }

    /// The tables as they were before an update that was turned back.
    fn unchanged(&self) -> Change {
        let (active, generation) = (self.active, self.generation);
        Change { active, generation, remember: false, forget_all: false, transition: None }
    }

    /// Goes on proving that nothing runs in code that has been replaced.
    fn unmap(&mut self) {
        let (images, active) = (self.images, images_of(&self.active));
        let wasted = |visit: &mut dyn FnMut(&'static Image)| {
            for image in iter::successors(images, |image| image.next()) {
                let in_effect = active.iter().flatten().any(|active| core::ptr::eq(*active, image));
                if !in_effect && reclaim::is_waiting(image) {
                    visit(image);
                }
            }
        };
        if self.reclaim.is_none() {
            transition::sweep();
            match Reclaim::begin(&mut self.rounds, self.generation, &wasted) {
                Ok(Some(begun)) => self.reclaim = Some(begun),
                Ok(None) => self.waste = false,
                Err(_) => {}
            }
        }
        let Some(mut reclaim) = self.reclaim else { return };
        let census = self.census();
        match reclaim.advance(&mut self.rounds, &census, self.generation, &wasted) {
            Ok(true) => (self.reclaim, self.waste) = (None, false),
            Ok(false) | Err(_) => self.reclaim = Some(reclaim),
        }
    }

    /// How long nothing needs to be done here, in milliseconds; -1 for ever.
    pub(crate) fn rest_ms(&self) -> i32 {
        let looked = self.looked;
        let rest = match (self.transition.is_some(), self.waste) {
            (true, _) if looked < 100 => 1,
            (true, _) if looked < 300 => 5,
            (true, _) => 50,
            (false, true) if looked < 50 => 2,
            (false, true) if looked < 100 => 20,
            (false, true) => 200,
            // A library may be closed, and nobody says so.
            (false, false) if self.images().any(|image| image.mark.is_some()) => 1000,
            (false, false) => return -1,
        };
        // With thousands of threads a look takes its time: the program comes first.
        rest.max((self.look_ns / 250_000).min(1000) as i32)
    }

    /// The function whose new or base version an address lies in.
    pub(crate) fn changed_function(&self, address: usize) -> Option<&'static Redirect> {
        let images = || self.images();
        let patched = images().find_map(|image| image.function_at(address));
        patched.or_else(|| images().flat_map(|image| image.redirects).find(|r| r.range.holds(address)))
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
        let generation = threads::after_fork();
        self.reclaim = None;
        // The parent may have been in the middle of changing these; what they point at is not worth a look.
        core::mem::forget(core::mem::replace(&mut self.rounds, Rounds::new()));
        core::mem::forget(core::mem::replace(&mut self.program, Ranges::empty()));
        if let Some(transition) = self.transition {
            self.settle_alone(&transition, generation);
        }
        threads::set_birth(self.generation);
    }

    /// The only thread of a child decides a transition by itself: everything is as it has it.
    fn settle_alone(&mut self, transition: &Transition, generation: Option<u32>) {
        let moved = generation.is_some_and(|generation| generation >= transition.to);
        let update = if moved { transition.update } else { transition.update.reversed() };
        // A library that the parent has closed, and did not come to forget.
        let update = update.without(&|image| !image.is_loaded());
        self.settled_is_second ^= moved;
        self.change = if moved { self.after } else { Some(self.unchanged()) };
        if let Ok(plan) = Plan::settled(&update) {
            self.plan = plan;
            self.plan.finish();
        }
        self.record();
        self.transition = None;
        self.waste = true;
    }
}

/// Code of the modules and of all images.
#[inline(never)]
fn each_code(modules: &[Module], images: Option<&'static Image>, visit: Visit<'_>) {
    for module in modules {
        module.code().for_each(&mut *visit);
    }
    for image in iter::successors(images, |image| image.next()) {
        visit(image.code);
    }
}

/// The instrumented modules of the process.
pub(crate) fn modules() -> core::result::Result<Table<Module>, Errno> {
    let mut modules = Table::with_capacity(MODULES)?;
    // Patch objects are found under the name `Verified::link` gave them; they are no modules of the program. More
    // modules than the table holds are as if not instrumented.
    each_module(&mut |module| {
        if !module.path.as_bytes().starts_with(b"/proc/") {
            let _full = modules.push(*module);
        }
    });
    Ok(modules)
}
