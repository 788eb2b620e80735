//! Which locks a function holds where, as far as the function itself shows it: those taken on every way there.

use std::collections::BTreeSet;

use super::graph::Graph;
use super::origin::same;
use crate::llvm::Value;

const LOCK: [&str; 17] = [
    "pthread_mutex_lock",
    "pthread_mutex_timedlock",
    "pthread_mutex_clocklock",
    "pthread_spin_lock",
    "pthread_rwlock_rdlock",
    "pthread_rwlock_wrlock",
    "pthread_rwlock_timedrdlock",
    "pthread_rwlock_timedwrlock",
    "mtx_lock",
    "mtx_timedlock",
    "uv_mutex_lock",
    "uv_rwlock_rdlock",
    "uv_rwlock_wrlock",
    "g_mutex_lock",
    "g_rec_mutex_lock",
    "apr_thread_mutex_lock",
    "apr_global_mutex_lock",
];
const UNLOCK: [&str; 11] = [
    "pthread_mutex_unlock",
    "pthread_spin_unlock",
    "pthread_rwlock_unlock",
    "mtx_unlock",
    "uv_mutex_unlock",
    "uv_rwlock_rdunlock",
    "uv_rwlock_wrunlock",
    "g_mutex_unlock",
    "g_rec_mutex_unlock",
    "apr_thread_mutex_unlock",
    "apr_global_mutex_unlock",
];

/// Whether a call takes a lock (true) or gives one back (false), and which.
pub(super) fn operation(call: Value<'_>) -> Option<(bool, Value<'_>)> {
    let name = call.callee().filter(|callee| callee.is_function())?.name();
    let lock = *call.arguments().first()?;
    if LOCK.contains(&name.as_str()) {
        Some((true, lock))
    } else {
        UNLOCK.contains(&name.as_str()).then_some((false, lock))
    }
}

/// The locks of a function.
#[derive(Debug)]
pub(super) struct Locks<'m> {
    locks: Vec<Value<'m>>,
    /// Those held on every way into each block.
    held: Vec<BTreeSet<usize>>,
}

impl<'m> Locks<'m> {
    pub(super) fn of(graph: &Graph<'m>) -> Self {
        let mut locks = Self { locks: Vec::new(), held: Vec::new() };
        for (_, lock) in graph.blocks.iter().flat_map(|block| block.instructions()).filter_map(operation) {
            if locks.number(lock).is_none() {
                locks.locks.push(lock);
            }
        }
        // All, until a way is known on which one is not held. None is at the entry.
        locks.held = vec![(0..locks.locks.len()).collect(); graph.blocks.len()];
        locks.held.iter_mut().take(1).for_each(BTreeSet::clear);
        let mut open = !locks.locks.is_empty();
        while open {
            open = false;
            for block in 1..graph.blocks.len() {
                let ways = graph.predecessors[block].iter().map(|&from| locks.behind(graph, from, None));
                let held = ways.reduce(|a, b| &a & &b).unwrap_or_default();
                open |= held != locks.held[block];
                locks.held[block] = held;
            }
        }
        locks
    }

    fn number(&self, lock: Value<'m>) -> Option<usize> {
        self.locks.iter().position(|&known| same(known, lock))
    }

    /// Locks held before `instruction` of a block, or at its end.
    fn behind(&self, graph: &Graph<'m>, block: usize, instruction: Option<Value<'m>>) -> BTreeSet<usize> {
        let mut held = self.held[block].clone();
        let before = graph.blocks[block].instructions().take_while(|&at| Some(at) != instruction);
        for (takes, lock) in before.filter_map(operation) {
            let number = self.number(lock).expect("every lock of the function was numbered");
            if takes {
                held.insert(number)
            } else {
                held.remove(&number)
            };
        }
        held
    }

    /// Whether a lock other than `but` is held where `instruction` begins.
    pub(super) fn held(&self, graph: &Graph<'m>, instruction: Value<'m>, but: Option<Value<'m>>) -> bool {
        let Some(block) = graph.number(instruction) else { return false };
        let but = but.and_then(|lock| self.number(lock));
        self.behind(graph, block, Some(instruction)).iter().any(|&lock| Some(lock) != but)
    }
}
