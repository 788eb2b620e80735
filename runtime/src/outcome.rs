//! What an update did, for the answer, and the patch's own functions around it.

use dsu_abi::wire::Code;

use crate::fail::{Fail, Result};
use crate::image::{Image, Replacement};
use crate::switch::{MODULES, VersionChange};
use crate::sys::dlopen::call_hook;
use crate::transition::Transition;

/// What was done, for the answer.
pub(crate) struct Outcome {
    /// The patch asked for; `None` for a revert.
    pub(crate) new: Option<&'static Image>,
    /// The update.
    pub(crate) update: VersionChange,
    pub(crate) generation: u32,
    pub(crate) already: bool,
    pub(crate) reused: bool,
    pub(crate) thread: bool,
    pub(crate) complete: bool,
    pub(crate) map_ns: u64,
    pub(crate) prepare_ns: u64,
    pub(crate) commit_ns: u64,
}

impl Outcome {
    pub(crate) fn nothing(image: &'static Image, generation: u32, map_ns: u64) -> Self {
        Self {
            new: Some(image),
            update: VersionChange::to(None, [None; MODULES]),
            generation,
            already: true,
            reused: true,
            thread: false,
            complete: true,
            map_ns,
            prepare_ns: 0,
            commit_ns: 0,
        }
    }

    /// Functions whose version is the base's again.
    pub(crate) fn returned(&self) -> impl Iterator<Item = &'static Replacement> {
        let VersionChange { from, to } = &self.update;
        let gone = from.iter().flatten().flat_map(|image| image.replacements);
        gone.filter(|r| !to.iter().flatten().any(|image| image.find(r.slot).is_some()))
    }
}

/// Asks a hook of a patch; one that says no vetoes.
pub(crate) fn ask(hook: u64, name: &str) -> Result<()> {
    if hook != 0 && call_hook(hook) != 0 {
        return Err(Fail::new(Code::Vetoed, name, ""));
    }
    Ok(())
}

/// Tells the hooks of the patch that was applied or taken back, and of no other, that it is done.
pub(crate) fn notify(done: &Transition) {
    let hook: fn(&Image) -> u64 = match (done.revert, done.cancelled) {
        (false, false) => |image| image.hooks.post_apply,
        (true, true) => return,
        _ => |image| image.hooks.post_revert,
    };
    let side = if done.revert { &done.update.from } else { &done.update.to };
    for hook in side.iter().flatten().map(|image| hook(image)).filter(|hook| *hook != 0) {
        let _unasked = call_hook(hook);
    }
}
