//! The requests that change something: apply, revert, cancel.

use dsu_abi::wire::{Apply, Code, ConsistencyOverride, Revert};

use crate::fail::{Fail, Result};
use crate::history::{Change, images_of};
use crate::image::Image;
use crate::listing;
use crate::load::UNLOADED;
use crate::outcome::{Outcome, ask, notify};
use crate::state::{State, modules};
use crate::switch::{MODULES, VersionChange};
use crate::sys::modules::Module;
use crate::sys::{Errno, Fd, process, socket};
use crate::threads;
use crate::transition::Transition;
use crate::verify::Verified;

/// What to switch to, and how.
struct Order {
    update: VersionChange,
    change: Change,
    thread: bool,
    timeout_ms: u32,
    reused: bool,
    new: Option<&'static Image>,
    /// When the request came, and when its image was in memory.
    times: [u64; 2],
}

#[cold]
#[inline(never)]
fn no_memory(errno: Errno) -> Fail {
    Fail::system(Code::OutOfResources, errno, "memory for the patch's code")
}

impl State {
    /// Applies the patch in `file`; a different one on the same module is replaced in the same switch.
    pub(crate) fn apply(&mut self, file: &Fd, request: &Apply) -> Result<Outcome> {
        let begin = process::now_ns();
        if self.transition.is_some() {
            return Err(Fail::new(Code::TransitionInProgress, "", ""));
        }
        let patch = Verified::read(file)?;
        let modules = modules().map_err(|errno| Fail::system(Code::OutOfResources, errno, "memory for modules"))?;
        let found = modules.as_slice().iter().find(|module| patch.fits(module));
        let module = found.ok_or_else(|| Fail::new(Code::WrongBuildId, patch.wanted().as_str(), ""))?;
        let known = self.images().find(|i| i.checksum == patch.checksum && i.module == module.bias);
        let active = self.history.active_on(module);
        if let (Some(active), Some(image)) = (active, known)
            && core::ptr::eq(image, active.image)
        {
            return Ok(Outcome::nothing(image, self.history.generation, process::now_ns().wrapping_sub(begin)));
        }
        let thread = match request.consistency {
            ConsistencyOverride::None => patch.wants_thread(),
            ConsistencyOverride::Newest => false,
            ConsistencyOverride::Thread => true,
        };
        if thread {
            if !listing::is_possible() {
                return Err(Fail::new(Code::NoProc, "", ""));
            }
            // Idle regions are not counted in the notes, but whoever was in one is known.
            if modules.as_slice().iter().all(|module| module.points == 0) && !threads::has_passed() {
                return Err(Fail::new(Code::NoPoints, "", ""));
            }
            patch.check_trampolines()?;
        }
        let image = match known {
            Some(image) => image,
            None => self.load(patch, module)?,
        };
        let mut from = [None; MODULES];
        let [first, ..] = &mut from;
        *first = active.map(|active| active.image);
        let order = Order {
            update: VersionChange::to(Some(image), from),
            change: self.history.change_to(image, thread)?,
            thread,
            timeout_ms: request.timeout_ms,
            reused: known.is_some(),
            new: Some(image),
            times: [begin, process::now_ns()],
        };
        self.bring_back(&order.update)?;
        ask(image.hooks.pre_apply, "dsu_pre_apply")?;
        self.switch(order)
    }

    /// Goes back to the patches before the last update, or to the base; cancels an update that is moving threads.
    pub(crate) fn revert(&mut self, request: &Revert) -> Result<Outcome> {
        let begin = process::now_ns();
        if let Some(transition) = self.transition {
            return self.cancel_update(transition, begin);
        }
        if self.history.active.iter().all(Option::is_none) {
            return Err(Fail::new(Code::NothingApplied, "", ""));
        }
        let undo = self.history.undo.iter().rev().flatten().next().filter(|_| !request.to_base);
        let (target, forget_all) = (undo.map_or([None; MODULES], |undo| undo.active), undo.is_none());
        let update = VersionChange { from: images_of(&self.history.active), to: images_of(&target) }.without_the_same();
        let thread = self.history.active.iter().flatten().any(|active| active.thread)
            && update.check_trampolines().is_ok()
            && listing::is_possible();
        self.bring_back(&update)?;
        for image in update.from.iter().flatten() {
            ask(image.hooks.pre_revert, "dsu_pre_revert")?;
        }
        let order = Order {
            update,
            change: Change {
                active: target,
                generation: self.history.numbered.wrapping_add(1),
                remember: false,
                forget_all,
                transition: None,
            },
            thread,
            timeout_ms: request.timeout_ms,
            reused: false,
            new: None,
            times: [begin, begin],
        };
        self.switch(order)
    }

    /// Loads an image and puts it on the list.
    fn load(&mut self, patch: Verified, module: &Module) -> Result<&'static Image> {
        let (bias, cookie) = (module.bias, module.cookie);
        let earlier = self.images().filter(move |image| image.module == bias && image.cookie == cookie);
        let active = self.history.active_on(module).map(|active| active.image);
        let image = patch.load(module, active, earlier)?;
        image.set_next(self.images);
        self.images = Some(image);
        Ok(image)
    }

    /// Brings back the code of an update that was taken away: before anything of it runs, its hooks too.
    fn bring_back(&mut self, update: &VersionChange) -> Result<()> {
        let mut present = Ok(());
        update.each_image(&mut |image: &'static Image| present = present.and_then(|()| image.set_present(true)));
        // Whatever was being proven is about to change.
        self.reclaim = None;
        self.has_retired = true;
        present.map_err(no_memory)
    }

    fn switch(&mut self, order: Order) -> Result<Outcome> {
        let Order { update, mut change, thread, .. } = order;
        let target = change.generation;
        let begun = process::now_ns();
        let transition = Transition {
            update,
            from: self.history.generation,
            to: target,
            revert: !change.remember,
            cancelled: false,
            begun_ns: begun,
            timeout_ms: order.timeout_ms,
        };
        let check = if thread { Some(self.check_of(&transition)?) } else { None };
        change.transition = thread.then_some(transition);
        self.still_wanted()?;
        let unloaded = || Fail::new(Code::WrongBuildId, "", UNLOADED);
        let [prepared, committed] = self.commit_while_loaded(&update, change).ok_or_else(unloaded)??;
        match check {
            Some(check) => self.begin_moving(check, target),
            None => threads::set_initial_generation(target),
        }
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

    /// A client that gave up has told its user that nothing happened: then nothing does.
    fn still_wanted(&self) -> Result<()> {
        if socket::has_gone(self.client) { Err(Fail::new(Code::BadRequest, "", "the client has gone")) } else { Ok(()) }
    }

    fn cancel_update(&mut self, transition: Transition, begin: u64) -> Result<Outcome> {
        if !transition.cancelled {
            for image in transition.update.to.iter().flatten().filter(|_| !transition.revert) {
                ask(image.hooks.pre_revert, "dsu_pre_revert")?;
            }
            self.still_wanted()?;
            self.cancel(transition)?;
        }
        self.looked = 0;
        self.poll();
        Ok(Outcome {
            new: None,
            update: transition.update.reversed(),
            generation: transition.from,
            already: transition.cancelled,
            reused: false,
            thread: true,
            complete: self.transition.is_none(),
            map_ns: 0,
            prepare_ns: process::now_ns().wrapping_sub(begin),
            commit_ns: 0,
        })
    }
}
