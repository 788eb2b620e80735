//! Drives a change from its commit to the last thread that moves, and old code from there to its end; in a forked
//! child, to an end at once.

use core::iter;

use dsu_abi::wire::Code;

use crate::callback::Callback;
use crate::fail::{Fail, Result};
use crate::history::{Change, images_of};
use crate::image::Image;
use crate::outcome::notify;
use crate::phase::{self, Phase};
use crate::ranges::Ranges;
use crate::reclaim::{self, Reclaim};
use crate::stack_check::StackCheck;
use crate::state::{State, modules};
use crate::switch::{Plan, VersionChange};
use crate::sys::modules::Module;
use crate::sys::process;
use crate::sys::range::Visit;
use crate::threads;
use crate::transition::{self, Epochs, Progress, Transition};

impl State {
    /// Commits a change and enters it into the tables, while the modules it is about are there: `None` if one has gone.
    /// The phase ends with that: in a child forked later, a library that has gone since must not be stored to.
    pub(crate) fn commit_while_loaded(&mut self, update: &VersionChange, change: Change) -> Option<Result<[u64; 2]>> {
        let mut done = None;
        update.while_loaded(&mut |()| {
            let committed = self.commit(update, change);
            if committed.is_ok() {
                self.record();
            }
            phase::leave();
            done = Some(committed);
        });
        done
    }

    /// Prepares a change and stores it; when it was ready, and when it was done.
    fn commit(&mut self, update: &VersionChange, change: Change) -> Result<[u64; 2]> {
        let (target, newer_is_second) = (change.generation, !self.newest_is_second);
        let thread = change.transition.is_some();
        self.plan = if thread { Plan::transition(update, target, newer_is_second)? } else { Plan::completed(update)? };
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
    pub(crate) fn check_of(&mut self, transition: &Transition) -> Result<StackCheck> {
        let no_memory = |errno| Fail::system(Code::OutOfResources, errno, "memory for what threads look for");
        let update = &transition.update;
        let changed = Ranges::collect(&mut |visit: Visit<'_>| update.each_range(visit)).map_err(no_memory)?;
        let modules = modules().map_err(no_memory)?;
        let images = self.images;
        let mut own = |visit: Visit<'_>| each_code(modules.as_slice(), images, visit);
        self.program = Ranges::collect(&mut own).map_err(no_memory)?;
        Ok(StackCheck { goal: transition.goal(), changed, retired: Ranges::empty() })
    }

    /// The stubs are in place: threads may move from here on.
    pub(crate) fn begin_moving(&mut self, check: StackCheck, target: u32) {
        transition::sweep();
        // Without memory for a page, threads move when the runtime looks at them; it tries again then.
        let _begun = self.epochs.begin(check);
        self.settle_initial_generation(target);
    }

    /// Threads that were there when the stubs came are given the old generation, those that come later the new one: as
    /// soon as it is certain that the former are all known. False as long as it is not.
    fn settle_initial_generation(&self, goal: u32) -> bool {
        if threads::initial_generation() != goal && transition::enrol(self.history.generation) == Ok(true) {
            threads::set_initial_generation(goal);
        }
        threads::initial_generation() == goal
    }

    /// Enters a committed change into the tables. Doing it twice is doing it once.
    fn record(&mut self) {
        let Some(change) = self.change else { return };
        self.history.numbered = change.generation;
        self.transition = change.transition;
        if change.transition.is_some() {
            self.after = Some(Change { transition: None, ..change });
            return;
        }
        self.history.enter(&change);
        self.after = None;
    }

    /// Threads that have moved are to go back, the others have nothing to do.
    pub(crate) fn cancel(&mut self, transition: Transition) -> Result<()> {
        let back = Transition { cancelled: true, ..transition };
        let check = self.check_of(&back)?;
        threads::set_initial_generation(back.from);
        let begun = self.epochs.begin(check);
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
                let _cancelled = self.cancel(transition);
            }
            self.move_on();
        }
        if self.transition.is_none() && self.has_retired {
            self.unmap();
        }
    }

    fn progress(&mut self) -> Progress {
        let begin = process::now_ns();
        let progress = transition::check_threads(&self.epochs, &self.program, self.transition.as_ref());
        self.look_ns = process::now_ns().wrapping_sub(begin);
        // Where threads cannot be listed or memory is short, nobody is known to have moved.
        progress.unwrap_or(Progress::NOTHING)
    }

    /// Looks at the threads; ends the transition when all have moved.
    fn move_on(&mut self) {
        let Some(transition) = self.transition else { return };
        let all_known = self.settle_initial_generation(transition.goal());
        if !self.progress().all_moved() || !all_known {
            return;
        }
        let update = if transition.cancelled { transition.update.reversed() } else { transition.update };
        // The stubs serve just as well: what fails now is tried again.
        if !phase::enter(Phase::Loading) {
            return;
        }
        let change = self.after.unwrap_or(self.history.unchanged());
        let completed = matches!(self.commit_while_loaded(&update, change), Some(Ok(_)));
        phase::leave(); // Where a module has gone, nothing was done.
        if completed {
            self.newest_is_second ^= !transition.cancelled;
            threads::set_initial_generation(self.history.generation);
            self.looked = 0;
            notify(&transition);
        }
    }

    /// Goes on proving that nothing runs in code that has been replaced.
    fn unmap(&mut self) {
        let (images, active) = (self.images, images_of(&self.history.active));
        let mut retired = |visit: &mut dyn Callback<&'static Image>| {
            for image in iter::successors(images, |image| image.next()) {
                let in_effect = active.iter().flatten().any(|active| core::ptr::eq(*active, image));
                if !in_effect && reclaim::is_waiting(image) {
                    visit.call(image);
                }
            }
        };
        if self.reclaim.is_none() {
            transition::sweep();
            match Reclaim::begin(&mut self.epochs, self.history.generation, &mut retired) {
                Ok(Some(begun)) => self.reclaim = Some(begun),
                Ok(None) => self.has_retired = false,
                Err(_) => {}
            }
        }
        let Some(mut reclaim) = self.reclaim else { return };
        let progress = self.progress();
        match reclaim.advance(&mut self.epochs, &progress, self.history.generation, &mut retired) {
            Ok(true) => (self.reclaim, self.has_retired) = (None, false),
            Ok(false) | Err(_) => self.reclaim = Some(reclaim),
        }
    }

    /// How long nothing needs to be done here, in milliseconds; -1 for ever.
    pub(crate) fn rest_ms(&self) -> i32 {
        let looked = self.looked;
        let rest = match (self.transition.is_some(), self.has_retired) {
            (true, _) if looked < 100 => 1,
            (true, _) if looked < 300 => 5,
            (true, _) => 50,
            (false, true) if looked < 50 => 2,
            (false, true) if looked < 100 => 20,
            (false, true) => 200,
            // A library may be closed, and nobody says so.
            (false, false) if self.images().any(|image| image.cookie.is_some()) => 1000,
            (false, false) => return -1,
        };
        // With thousands of threads a look takes its time: the program comes first.
        rest.max((self.look_ns / 250_000).min(1000) as i32)
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
        core::mem::forget(core::mem::replace(&mut self.epochs, Epochs::new()));
        core::mem::forget(core::mem::replace(&mut self.program, Ranges::empty()));
        if let Some(transition) = self.transition {
            self.complete_alone(&transition, generation);
        }
        threads::set_initial_generation(self.history.generation);
    }

    /// The only thread of a child decides a transition by itself: everything is as it has it.
    fn complete_alone(&mut self, transition: &Transition, generation: Option<u32>) {
        let moved = generation.is_some_and(|generation| generation >= transition.to);
        let update = if moved { transition.update } else { transition.update.reversed() };
        // A library that the parent has closed, and did not come to forget.
        let update = update.without(&mut |image: &Image| !image.is_loaded());
        self.newest_is_second ^= moved;
        self.change = if moved { self.after } else { Some(self.history.unchanged()) };
        if let Ok(plan) = Plan::completed(&update) {
            self.plan = plan;
            self.plan.finish();
        }
        self.record();
        self.transition = None;
        self.has_retired = true;
    }
}

/// Code of the modules and of all images.
#[inline(never)]
fn each_code(modules: &[Module], images: Option<&'static Image>, visit: Visit<'_>) {
    for module in modules {
        module.code().for_each(|range| visit.call(range));
    }
    for image in iter::successors(images, |image| image.next()) {
        visit.call(image.code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase::tests::{ALONE, now};
    use crate::state::STATE;
    use crate::switch::MODULES;
    use crate::sys::token::ThreadToken;

    #[test]
    fn a_child_forked_after_the_commit_stores_to_no_module() {
        let _alone = ALONE.lock().expect("no test has failed in it");
        // SAFETY: no other test comes to the state, and this process has no runtime's thread.
        let mut token = unsafe { ThreadToken::take() };
        let state = STATE.get(&mut token);
        let update = VersionChange::to(None, [None; MODULES]);
        let change = Change { generation: 7, remember: true, ..state.history.unchanged() };
        let times = state.commit_while_loaded(&update, change).expect("no module can go").map_err(|_| "refused");
        assert!(times.is_ok_and(|[prepared, committed]| prepared <= committed));
        assert_eq!((now(), state.history.generation), (Phase::Idle as u8, 7), "the plan is done with, and recorded");
    }
}
