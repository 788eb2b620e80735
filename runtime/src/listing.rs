//! All threads of the process, or the knowledge that some may be missing. A listing of `/proc/self/task` skips threads
//! that live while others end (the kernel finds its place again by counting, `fs/proc/base.c:first_tid`), so one listing
//! proves nothing.
//!
//! What does: the threads are listed, counted, and listed again. Who is in both lists was alive at the moment of the count;
//! if they are as many as the kernel counted, nobody else was. Whoever comes later starts after that moment.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::callback::Callback;
use crate::sys::{Errno, process, tasks};
use crate::threads::{self, Record};

/// Attempts in a row. Where threads come and go all the time, the next look tries again.
const TRIES: u32 = 4;

/// The number of the last listing. Only the runtime's thread lists.
static NUMBER: AtomicU32 = AtomicU32::new(1);

/// Which threads there are; each has a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listing {
    /// `Record::listed` of those that were met.
    number: u32,
    /// Every thread that was alive at one moment during the listing, and still is, was met.
    pub(crate) complete: bool,
}

impl Listing {
    /// Lists the threads of the program, but not the runtime's; those without a record get one of `generation`.
    pub(crate) fn make(generation: u32) -> Result<Self, Errno> {
        let mut listing = attempt(generation)?;
        for _ in 1..TRIES {
            if listing.complete {
                break;
            }
            listing = attempt(generation)?;
        }
        Ok(listing)
    }

    /// The records of those that were met.
    pub(crate) fn records(self) -> impl Iterator<Item = &'static Record> {
        threads::records().iter().filter(move |r| r.is_used() && r.listed.load(Ordering::Relaxed) == self.number)
    }
}

/// Whether the threads of the process can be found out: not in a chroot without `/proc`.
pub(crate) fn is_possible() -> bool {
    tasks::each_thread(&mut |_: u32| {}).is_ok() && tasks::thread_count().is_ok()
}

fn attempt(generation: u32) -> Result<Listing, Errno> {
    let first = NUMBER.fetch_add(2, Ordering::Relaxed);
    let second = first.wrapping_add(1);
    let mut missing = false;
    each(generation, &mut |record: Option<&'static Record>| match record {
        Some(record) => record.listed.store(first, Ordering::Relaxed),
        None => missing = true,
    })?;
    let count = tasks::thread_count()?;
    // The runtime's own thread is in every list.
    let mut in_both = 1;
    each(generation, &mut |record: Option<&'static Record>| match record {
        Some(record) => in_both += u32::from(record.listed.swap(second, Ordering::Relaxed) == first),
        None => missing = true,
    })?;
    Ok(Listing { number: second, complete: !missing && in_both == count })
}

/// Each thread that one listing meets, by its record; `None` if there is no room for one.
fn each(generation: u32, visit: &mut dyn Callback<Option<&'static Record>>) -> Result<(), Errno> {
    let own = process::thread_id();
    // Records are mostly in the order of the list.
    let mut near = 0;
    tasks::each_thread(&mut |thread: u32| {
        if thread != own {
            visit.call(enrolled(thread, generation, &mut near));
        }
    })
}

fn enrolled(thread: u32, generation: u32, near: &mut usize) -> Option<&'static Record> {
    threads::record_near(thread, near).or_else(|| {
        let claimed = threads::claim(thread, generation)?;
        claimed.since_ns.store(process::now_ns(), Ordering::Relaxed);
        Some(claimed)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Barrier};
    use std::time::{Duration, Instant};

    use super::*;

    /// Threads that end together, and one made after them that stays a little longer: its number is in `lasting` only
    /// while it lives. The kernel loses its place in the list when many before it end.
    fn crowds(stop: &AtomicBool, lasting: &AtomicU32) {
        const CROWD: usize = 600;
        let spawn = |work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().stack_size(65_536).spawn(work).expect("threads can be made")
        };
        while !stop.load(Ordering::Relaxed) {
            let gate = Arc::new(Barrier::new(CROWD + 1));
            let (tell, told) = std::sync::mpsc::channel();
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let members: Vec<_> = (0..CROWD)
                .map(|_| {
                    let gate = Arc::clone(&gate);
                    spawn(Box::new(move || {
                        let _leader = gate.wait();
                    }))
                })
                .collect();
            let last = spawn(Box::new(move || {
                tell.send(process::thread_id()).expect("its maker listens");
                ended.recv().expect_err("the other end is dropped");
            }));
            lasting.store(told.recv().expect("it tells"), Ordering::SeqCst);
            gate.wait();
            members.into_iter().for_each(|member| member.join().expect("it ends"));
            lasting.store(0, Ordering::SeqCst);
            drop(end);
            last.join().expect("it ends");
        }
    }

    #[test]
    fn a_complete_listing_misses_nobody_while_others_end() {
        threads::make_pool();
        let (stop, lasting) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let others = std::thread::spawn({
            let (stop, lasting) = (Arc::clone(&stop), Arc::clone(&lasting));
            move || crowds(&stop, &lasting)
        });
        let (mut judged, mut attempts) = (0, 0);
        let end = Instant::now() + Duration::from_secs(6);
        while Instant::now() < end {
            attempts += 1;
            let before = lasting.load(Ordering::SeqCst);
            let listing = attempt(7).expect("/proc is there");
            let stayed = before != 0 && lasting.load(Ordering::SeqCst) == before;
            if stayed && listing.complete {
                judged += 1;
                let has = listing.records().any(|record| record.thread.load(Ordering::Relaxed) == before);
                assert!(has, "listing {attempts} says it is complete, and misses {before}");
            }
            for record in threads::records().iter().filter(|record| record.is_used()) {
                let thread = record.thread.load(Ordering::Relaxed);
                if !tasks::exists(thread) {
                    threads::release(record, thread, record.state.load());
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
        others.join().expect("it ends");
        assert!(judged > 0, "{attempts} attempts, none complete: the proof never comes");
    }
}
