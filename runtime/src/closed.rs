//! Libraries that the program has closed: their patches go with them.

use core::sync::atomic::Ordering;

use crate::history::Active;
use crate::image::Image;
use crate::phase::{self, Phase};
use crate::state::State;
use crate::switch::{MODULES, Plan};
use crate::sys::memory::Table;

fn gone(image: &Image) -> bool {
    image.gone.load(Ordering::Relaxed)
}

#[inline(never)]
fn keep_loaded(active: &mut [Option<Active>; MODULES]) {
    for active in active {
        *active = active.filter(|active| !gone(active.image));
    }
}

impl State {
    /// Forgets the patches of libraries that the program has closed meanwhile; what they have in memory goes with them.
    pub(crate) fn forget_closed(&mut self) {
        let mut closed = false;
        for image in self.images().filter(|image| !image.is_loaded()) {
            image.gone.store(true, Ordering::Relaxed);
            closed = true;
        }
        if !closed || !phase::enter(Phase::Loading) {
            return;
        }
        self.history.undo.iter_mut().flatten().for_each(|undo| keep_loaded(&mut undo.active));
        self.after.iter_mut().for_each(|after| keep_loaded(&mut after.active));
        keep_loaded(&mut self.history.active);
        if let Some(transition) = &mut self.transition {
            transition.update = transition.update.without(&mut gone);
        }
        (self.change, self.plan, self.reclaim) = (None, Plan::empty(), None);
        self.history.forget_same();
        self.has_retired = true;
        let (mut next, mut last) = (self.images.take(), None::<&Image>);
        while let Some(image) = next {
            next = image.next();
            if gone(image) {
                // SAFETY: `load` leaked it, and the tables have just forgotten it.
                unsafe { Table::drop_leaked(image) };
                continue;
            }
            image.set_next(None);
            match last.replace(image) {
                Some(last) => last.set_next(Some(image)),
                None => self.images = Some(image),
            }
        }
        phase::leave();
    }
}
