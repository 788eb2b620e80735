//! Shadow variables: memory that patch code attaches to an object it cannot enlarge, found again by the object's
//! address and a number. Called by the program's own threads, and by hooks.
//!
//! Nobody waits for anybody: a list per bucket that only grows at its head, whose nodes belong to one key for ever and
//! hold the block that is attached now. So a `fork` at any moment leaves a child that can go on. What a key costs
//! after its block is freed is the node; objects come back at the same addresses, and their nodes with them.
//!
//! Memory is the program's own malloc: unlike everything else here, this is a path the program asked for.

use core::ffi::{c_int, c_ulong, c_void};
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicPtr, Ordering};

/// Heads of lists: half a MiB of address space, from the first shadow variable on.
const BUCKETS: usize = 1 << 16;

static TABLE: AtomicPtr<AtomicPtr<Node>> = AtomicPtr::new(null_mut());

/// Fills a new block; other than 0 means that there shall be none.
type Constructor = extern "C" fn(object: *const c_void, shadow: *mut c_void, argument: *mut c_void) -> c_int;

/// What may be attached to one object under one number.
struct Node {
    next: *const Node,
    object: usize,
    id: c_ulong,
    block: AtomicPtr<c_void>,
}

/// Zeroed memory of `count` values that is never freed; `None` when there is none. All zero must be a `T`.
fn zeroed<T>(count: usize) -> Option<*mut T> {
    // SAFETY: plain allocation; overflow of the product is calloc's to refuse.
    let memory = unsafe { libc::calloc(count, size_of::<T>()) };
    (!memory.is_null()).then_some(memory.cast())
}

fn release(memory: *mut c_void) {
    // SAFETY: every block given here came from calloc, and the exchange that took it out of its node gave it to
    // this call alone.
    unsafe { libc::free(memory) }
}

/// The list that holds a key, if there is a table yet.
fn bucket(object: usize, id: c_ulong) -> Option<&'static AtomicPtr<Node>> {
    let spread = (object as u64 ^ id.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    head(TABLE.load(Ordering::Acquire), (spread >> 48) as usize % BUCKETS)
}

fn head(table: *mut AtomicPtr<Node>, at: usize) -> Option<&'static AtomicPtr<Node>> {
    // SAFETY: null, or `BUCKETS` zeroed heads that are never freed; `at` is below `BUCKETS`.
    unsafe { table.wrapping_add(at).as_ref() }.filter(|_| !table.is_null())
}

/// The first node of a list.
fn first(head: &AtomicPtr<Node>) -> Option<&'static Node> {
    // SAFETY: null, or a node that was complete when it was published, and is never freed.
    unsafe { head.load(Ordering::Acquire).as_ref() }
}

fn find(from: Option<&'static Node>, object: usize, id: c_ulong) -> Option<&'static Node> {
    let mut at = from;
    while let Some(node) = at {
        if node.object == object && node.id == id {
            break;
        }
        // SAFETY: as in `first`; `next` does not change once the node is published.
        at = unsafe { node.next.as_ref() };
    }
    at
}

/// The node of a key, made when there is none; `None` without memory.
fn node(object: usize, id: c_ulong) -> Option<&'static Node> {
    if TABLE.load(Ordering::Acquire).is_null() {
        let table: *mut AtomicPtr<Node> = zeroed(BUCKETS)?;
        if TABLE.compare_exchange(null_mut(), table, Ordering::AcqRel, Ordering::Acquire).is_err() {
            release(table.cast());
        }
    }
    let head = bucket(object, id)?;
    let mut before = first(head);
    if let Some(found) = find(before, object, id) {
        return Some(found);
    }
    let new: *mut Node = zeroed(1)?;
    loop {
        let next = before.map_or(null(), |node| node as *const Node);
        // SAFETY: fresh memory of a node's size that no other thread knows before the exchange publishes it.
        unsafe { new.write(Node { next, object, id, block: AtomicPtr::new(null_mut()) }) };
        if head.compare_exchange(next.cast_mut(), new, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            // SAFETY: just written, and never freed from now on.
            return unsafe { new.as_ref() };
        }
        before = first(head);
        if let Some(found) = find(before, object, id) {
            release(new.cast());
            return Some(found);
        }
    }
}

/// The block attached to an object; null when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_shadow_get(object: *const c_void, id: c_ulong) -> *mut c_void {
    let from = bucket(object as usize, id).and_then(first);
    find(from, object as usize, id).map_or(null_mut(), |node| node.block.load(Ordering::Acquire))
}

/// Attaches a zeroed block; null when there is one already, or no memory, or the constructor says no.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_shadow_alloc(
    object: *const c_void,
    id: c_ulong,
    size: usize,
    constructor: Option<Constructor>,
    argument: *mut c_void,
) -> *mut c_void {
    match attach(object, id, size, constructor, argument) {
        Attached::New(block) => block,
        Attached::Before(_) | Attached::Not => null_mut(),
    }
}

/// The block attached to an object, attached now when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_shadow_get_or_alloc(
    object: *const c_void,
    id: c_ulong,
    size: usize,
    constructor: Option<Constructor>,
    argument: *mut c_void,
) -> *mut c_void {
    match attach(object, id, size, constructor, argument) {
        Attached::New(block) | Attached::Before(block) => block,
        Attached::Not => null_mut(),
    }
}

enum Attached {
    New(*mut c_void),
    Before(*mut c_void),
    Not,
}

fn attach(
    object: *const c_void,
    id: c_ulong,
    size: usize,
    constructor: Option<Constructor>,
    argument: *mut c_void,
) -> Attached {
    let before = dsu_shadow_get(object, id);
    if !before.is_null() {
        return Attached::Before(before);
    }
    let Some(node) = node(object as usize, id) else { return Attached::Not };
    let Some(block) = zeroed::<u8>(size.max(1)) else { return Attached::Not };
    let block = block.cast();
    if constructor.is_some_and(|construct| construct(object, block, argument) != 0) {
        release(block);
        return Attached::Not;
    }
    match node.block.compare_exchange(null_mut(), block, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Attached::New(block),
        Err(winner) => {
            release(block);
            Attached::Before(winner)
        }
    }
}

fn detach(node: &Node) {
    release(node.block.swap(null_mut(), Ordering::AcqRel));
}

/// Frees the block attached to an object, if there is one.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_shadow_free(object: *const c_void, id: c_ulong) {
    let from = bucket(object as usize, id).and_then(first);
    if let Some(node) = find(from, object as usize, id) {
        detach(node);
    }
}

/// Frees every block attached under a number.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_shadow_free_all(id: c_ulong) {
    let table = TABLE.load(Ordering::Acquire);
    for at in 0..BUCKETS {
        let mut next = head(table, at).and_then(first);
        while let Some(node) = next {
            if node.id == id {
                detach(node);
            }
            // SAFETY: as in `find`.
            next = unsafe { node.next.as_ref() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" fn refuse(_: *const c_void, _: *mut c_void, _: *mut c_void) -> c_int {
        1
    }

    extern "C" fn count(_: *const c_void, shadow: *mut c_void, argument: *mut c_void) -> c_int {
        // SAFETY: the tests pass a block of at least 8 bytes and the address of a number.
        unsafe { shadow.cast::<u64>().write(argument.cast::<u64>().read()) };
        0
    }

    fn object(number: usize) -> *const c_void {
        (number * 16) as *const c_void
    }

    #[test]
    fn a_block_is_found_by_object_and_number() {
        let mut seed = 7u64;
        let argument = (&raw mut seed).cast();
        let block = dsu_shadow_alloc(object(1), 1, 8, Some(count), argument);
        assert_eq!(dsu_shadow_get(object(1), 1), block);
        // SAFETY: the block has 8 bytes, which the constructor wrote.
        assert_eq!(unsafe { block.cast::<u64>().read() }, 7);
        assert!(dsu_shadow_alloc(object(1), 1, 8, None, null_mut()).is_null(), "there is one already");
        assert_eq!(dsu_shadow_get_or_alloc(object(1), 1, 8, None, null_mut()), block);
        assert!(dsu_shadow_get(object(1), 2).is_null() && dsu_shadow_get(object(2), 1).is_null());
        assert!(dsu_shadow_alloc(object(2), 1, 8, Some(refuse), null_mut()).is_null());
        assert!(dsu_shadow_get(object(2), 1).is_null(), "its constructor said no");
        dsu_shadow_free(object(1), 1);
        dsu_shadow_free(object(1), 1);
        assert!(dsu_shadow_get(object(1), 1).is_null());
    }

    #[test]
    fn threads_that_ask_at_once_get_one_block() {
        for round in 0..200 {
            let asks = || dsu_shadow_get_or_alloc(object(round), 5, 8, None, null_mut()) as usize;
            let found: Vec<usize> = std::thread::scope(|scope| {
                let asking: Vec<_> = (0..4).map(|_| scope.spawn(asks)).collect();
                asking.into_iter().map(|thread| thread.join().expect("asking cannot fail")).collect()
            });
            assert!(found[0] != 0 && found.iter().all(|block| *block == found[0]), "{found:?}");
        }
        let other = dsu_shadow_get_or_alloc(object(3), 6, 8, None, null_mut());
        dsu_shadow_free_all(5);
        assert!((0..200).all(|round| dsu_shadow_get(object(round), 5).is_null()));
        assert_eq!(dsu_shadow_get(object(3), 6), other);
    }
}
