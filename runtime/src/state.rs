//! What is loaded and applied, and what is in progress. Only the runtime's thread comes here (and the only thread of a
//! child just forked), so there are no locks.

use core::iter;

use crate::history::{Change, History};
use crate::image::{Image, Replacement};
use crate::ranges::Ranges;
use crate::reclaim::Reclaim;
use crate::switch::{MODULES, Plan};
use crate::sys::Errno;
use crate::sys::memory::Table;
use crate::sys::modules::{Module, each_module};
use crate::sys::token::ThreadCell;
use crate::transition::{Epochs, Transition};

/// See the module's description.
pub(crate) struct State {
    /// The connection of the request that is being done; -1 if it goes on without its client.
    pub(crate) client: i32,
    pub(crate) images: Option<&'static Image>,
    pub(crate) history: History,
    pub(crate) plan: Plan,
    pub(crate) change: Option<Change>,
    pub(crate) transition: Option<Transition>,
    /// Which word of a stub holds the version that the last transition has left in effect.
    pub(crate) newest_is_second: bool,
    /// The tables as they are when the transition is complete.
    pub(crate) after: Option<Change>,
    pub(crate) epochs: Epochs,
    pub(crate) program: Ranges,
    pub(crate) reclaim: Option<Reclaim>,
    /// Something may be waiting to be unmapped.
    pub(crate) has_retired: bool,
    /// How often threads were looked at in vain, and how long the last time took.
    pub(crate) looked: u32,
    pub(crate) look_ns: u64,
}

/// The one of this process.
pub(crate) static STATE: ThreadCell<State> = ThreadCell::new(State {
    client: -1,
    images: None,
    history: History::new(),
    plan: Plan::empty(),
    change: None,
    transition: None,
    newest_is_second: false,
    after: None,
    epochs: Epochs::new(),
    program: Ranges::empty(),
    reclaim: None,
    has_retired: false,
    looked: 0,
    look_ns: 0,
});

impl State {
    /// Images in memory, latest first.
    pub(crate) fn images(&self) -> impl Iterator<Item = &'static Image> + Clone + use<> {
        iter::successors(self.images, |image| image.next())
    }

    /// The function whose new or base version an address lies in.
    pub(crate) fn changed_function(&self, address: usize) -> Option<&'static Replacement> {
        let images = || self.images();
        let patched = images().find_map(|image| image.function_at(address));
        patched.or_else(|| images().flat_map(|image| image.replacements).find(|r| r.range.holds(address)))
    }
}

/// The instrumented modules of the process.
pub(crate) fn modules() -> core::result::Result<Table<Module>, Errno> {
    let mut modules = Table::with_capacity(MODULES)?;
    // Patch objects are found under the name `Verified::link` gave them; they are no modules of the program. More
    // modules than the table holds are as if not instrumented.
    each_module(&mut |module: &Module| {
        if !module.path.as_bytes().starts_with(b"/proc/") {
            let _full = modules.push(*module);
        }
    });
    Ok(modules)
}
