//! What the kernel tells of the process's threads, and reading memory that may vanish meanwhile.

use super::memory::Table;
use super::range::Range;
use super::{Errno, process};
use crate::callback::Callback;
use crate::text::Text;

/// A thread as the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// On a processor, or about to be.
    Running,
    /// Blocked in a system call.
    Blocked {
        /// Its stack pointer there.
        sp: usize,
        /// The call's return address: inline assembly may be code of a patch.
        pc: usize,
        /// How often it has been taken off a processor: blocked twice with the same number, it never ran between.
        switches: u64,
    },
    /// It has ended.
    Gone,
    /// This process may not know.
    Unreadable,
}

type Path = Text<64>;

fn path(thread: u32, file: &[u8]) -> Path {
    Path::empty().with(b"/proc/self/task/").with_number(thread).with(b"/").with(file)
}

/// The first bytes of a small file.
fn read<'b>(path: &Path, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
    let name = path.as_c_str().ok_or(Errno::NOMEM)?;
    let fd = process::open(name, 0)?;
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        let count = process::read(&fd, room)?.len();
        if count == 0 {
            break;
        }
        filled += count;
    }
    Ok(buffer.get(..filled).unwrap_or(&[]))
}

/// Numbers of the process's threads. An error leaves `each` with a part of them.
pub(crate) fn each_thread(each: &mut dyn Callback<u32>) -> Result<(), Errno> {
    const NAME: usize = 19;
    let directory = process::open(c"/proc/self/task", libc::O_DIRECTORY)?;
    let mut buffer = [0u64; 512];
    loop {
        // SAFETY: writes at most the size of the buffer into it.
        let filled = unsafe {
            libc::syscall(libc::SYS_getdents64, directory.number(), buffer.as_mut_ptr(), size_of_val(&buffer))
        };
        let filled = usize::try_from(filled).map_err(|_| Errno::last())?;
        if filled == 0 {
            return Ok(());
        }
        // SAFETY: the kernel has filled that many bytes of the buffer.
        let bytes = unsafe { core::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), filled) };
        let mut at = 0;
        // struct linux_dirent64: inode, offset, record length (2 bytes), type (1), name.
        while let Some(entry) = bytes.get(at..).filter(|entry| entry.len() > NAME) {
            let length = entry.get(16..18).and_then(|l| l.first_chunk::<2>()).map_or(0, |l| u16::from_le_bytes(*l));
            let name = entry.get(NAME..usize::from(length)).unwrap_or(&[]);
            if let Some((number, _)) = number(name, 10) {
                each.call(number as u32);
            }
            at += usize::from(length.max(1));
        }
    }
}

/// How many threads the process has, its ended first one included, which stays until the others have gone.
pub(crate) fn thread_count() -> Result<u32, Errno> {
    /// `num_threads` in `/proc/PID/stat`, counted from what follows the program's name (proc(5)).
    const FIELD: usize = 17;
    let mut buffer = [0; 512];
    let line = read(&Path::empty().with(b"/proc/self/stat"), &mut buffer)?;
    // The name is whatever the program likes; it ends with the last parenthesis.
    let after_name = line.rsplit(|byte| *byte == b')').next().unwrap_or(&[]).trim_ascii_start();
    let field = after_name.split(|byte| *byte == b' ').nth(FIELD).unwrap_or(&[]);
    number(field, 10).map(|(count, _)| count as u32).ok_or(Errno(libc::EINVAL))
}

/// A number at the start of a text, and what follows it.
fn number(text: &[u8], base: u64) -> Option<(u64, &[u8])> {
    let digit = |byte: &u8| (*byte as char).to_digit(base as u32).map(u64::from);
    let count = text.iter().take_while(|byte| digit(byte).is_some()).count();
    let (digits, rest) = text.split_at_checked(count)?;
    let value = digits.iter().filter_map(digit).fold(0u64, |value, digit| value.wrapping_mul(base).wrapping_add(digit));
    (count > 0).then_some((value, rest))
}

/// What a thread is doing.
pub(crate) fn activity(thread: u32) -> Activity {
    let Some(switches) = switches(thread) else { return Activity::Gone };
    let mut buffer = [0; 256];
    let line = match read(&path(thread, b"syscall"), &mut buffer) {
        Ok(line) => line,
        Err(Errno(libc::ENOENT | libc::ESRCH)) => return Activity::Gone,
        Err(_) => return Activity::Unreadable,
    };
    // A thread that is blocked in a `vfork` has lent its stack to the child, whose frames are below its stack pointer.
    let call = number(line, 10).map(|(call, _)| call as libc::c_long);
    let lends_its_stack = matches!(call, Some(libc::SYS_clone | libc::SYS_vfork | libc::SYS_clone3));
    if line.starts_with(b"running") || lends_its_stack {
        return Activity::Running;
    }
    // Number of the call, six arguments, stack pointer, program counter. Outside of a system call the number is -1:
    // a page fault may be in the middle of anything.
    let mut words = line.trim_ascii_end().rsplit(|byte| *byte == b' ');
    let mut last = || number(words.next()?.strip_prefix(b"0x")?, 16).map(|(value, _)| value as usize);
    let (pc, sp) = (last(), last());
    match (line.first(), sp, pc, switches) {
        (Some(b'-'), ..) => Activity::Running,
        (_, Some(sp), Some(pc), Some(switches)) if sp != 0 => Activity::Blocked { sp, pc, switches },
        _ => Activity::Unreadable,
    }
}

/// Context switches of a thread so far, voluntary and not, if the kernel tells. `None`: it has ended; a first thread that
/// ended before the others stays in the list until they have gone, too.
#[expect(clippy::option_option, reason = "whether it lives and what is known of it are two questions")]
fn switches(thread: u32) -> Option<Option<u64>> {
    let mut buffer = [0; 4096];
    let status = match read(&path(thread, b"status"), &mut buffer) {
        Ok(status) => status,
        Err(Errno(libc::ENOENT | libc::ESRCH)) => return None,
        Err(_) => return Some(None),
    };
    let mut sum = 0u64;
    let mut lines = 0;
    for line in status.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap_or(&[]), parts.next().unwrap_or(&[]).trim_ascii_start());
        if name == b"State" && matches!(value.first(), Some(b'Z' | b'X')) {
            return None;
        }
        if name.ends_with(b"voluntary_ctxt_switches")
            && let Some((count, _)) = number(value, 10)
        {
            sum = sum.wrapping_add(count);
            lines += 1;
        }
    }
    Some((lines == 2).then_some(sum))
}

/// Whether the process has this thread.
pub(crate) fn exists(thread: u32) -> bool {
    let name = path(thread, b"comm");
    name.as_c_str().is_some_and(|name| process::lstat(name).is_ok())
}

/// Where the control block of a thread is, if its stack pointer is on the stack below it: glibc puts the block at the
/// end of the stack it makes for a thread (`allocate_stack.c`). It is known by pointing at itself twice, and by the
/// thread's number in it.
pub(crate) fn control_block(map: &Map, thread: u32, sp: usize) -> Option<usize> {
    /// Alignment of the block.
    const STEP: usize = 64;
    const HEAD: usize = 3;
    let number = process::thread_id_offset()?;
    let run = map.around(sp)?;
    let mut at = sp.checked_next_multiple_of(STEP)?;
    let mut chunk = [0usize; 512];
    while at < run.end {
        let words = ((run.end - at) / size_of::<usize>()).min(chunk.len());
        let part = chunk.get_mut(..words).filter(|part| part.len() >= HEAD)?;
        copy(at, part)?;
        for (index, head) in part.chunks(STEP / size_of::<usize>()).enumerate() {
            let block = at + index * STEP;
            let is_block = head.first() == Some(&block) && head.get(2) == Some(&block);
            let mut id = [0usize];
            if is_block && copy((block + number) & !7, &mut id).is_some() {
                let [id] = id;
                if (id >> (8 * (number & 7))) as u32 == thread {
                    return Some(block);
                }
            }
        }
        at += size_of_val(part);
    }
    None
}

/// Name of a thread; empty when it has ended.
pub(crate) fn name(thread: u32) -> Text<64> {
    let mut buffer = [0; 24];
    let name = read(&path(thread, b"comm"), &mut buffer).unwrap_or(&[]);
    Text::empty().with(name.trim_ascii_end())
}

/// Copies memory of this process that another thread may unmap at any time. `None`: it is not all there.
pub(crate) fn copy(from: usize, to: &mut [usize]) -> Option<()> {
    let len = size_of_val(to);
    let local = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: len };
    let remote = libc::iovec { iov_base: from as *mut libc::c_void, iov_len: len };
    // SAFETY: the kernel writes into `to` and checks the other address; a process may always read itself.
    let copied = unsafe { libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0) };
    (usize::try_from(copied) == Ok(len)).then_some(())
}

/// The readable mappings of the process, as they were at one moment, in ascending order.
pub(crate) struct Map(Table<Range>);

impl Map {
    /// More than the kernel lets a process have by default; what is beyond stays unknown.
    const MAPPINGS: usize = 1 << 16;

    /// Reads it.
    pub(crate) fn read() -> Result<Self, Errno> {
        let mut mappings = Table::with_capacity(Self::MAPPINGS)?;
        process::each_line(c"/proc/self/maps", b'\n', &mut |line: &[u8]| {
            if let Some(found) = range(line) {
                let _full = mappings.push(found);
            }
        })?;
        Ok(Self(mappings))
    }

    /// The run of mappings without holes around an address, and whether nothing of it is below the mapping that holds the
    /// address.
    #[inline(never)]
    fn run(&self, address: usize) -> Option<(Range, bool)> {
        let mappings = self.0.as_slice();
        let at = mappings.partition_point(|mapping| mapping.end <= address);
        let (before, after) = mappings.split_at_checked(at)?;
        let mut run = *after.first().filter(|mapping| mapping.holds(address))?;
        let start = run.start;
        for mapping in before.iter().rev() {
            if mapping.end != run.start {
                break;
            }
            run.start = mapping.start;
        }
        for mapping in after {
            if mapping.start == run.end {
                run.end = mapping.end;
            }
        }
        Some((run, run.start == start))
    }

    /// The run of mappings without holes around an address.
    pub(crate) fn around(&self, address: usize) -> Option<Range> {
        self.run(address).map(|(run, _)| run)
    }

    /// The run that a stack which ends at `high` is in, up to there, and whether it is all of that: if it is one mapping,
    /// with nothing that can be read below. Several may be a stack with another owner's memory right below it.
    pub(crate) fn stack(&self, high: usize) -> Option<(Range, bool)> {
        let (run, whole) = self.run(high.checked_sub(1)?)?;
        Some((Range { end: high, ..run }, whole))
    }
}

/// `start-end rwxp …` in hexadecimal; `None` unless it is readable.
fn range(line: &[u8]) -> Option<Range> {
    let (start, rest) = number(line, 16)?;
    let (end, rest) = number(rest.strip_prefix(b"-")?, 16)?;
    rest.starts_with(b" r").then_some(Range { start: start as usize, end: end as usize })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_of_one_mapping_above_what_cannot_be_read_is_known_to_be_all_of_it() {
        const PART: usize = 1 << 16;
        let (flags, all) = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, libc::PROT_READ | libc::PROT_WRITE);
        // SAFETY: a new mapping of our own, of which parts get another protection.
        let start = unsafe {
            let whole = libc::mmap(core::ptr::null_mut(), 4 * PART, all, flags, -1, 0);
            assert_ne!(whole, libc::MAP_FAILED);
            for (part, protection) in [(0, libc::PROT_NONE), (2, libc::PROT_READ)] {
                assert_eq!(libc::mprotect(whole.byte_add(part * PART), PART, protection), 0);
            }
            whole.addr()
        };
        let [first, second, third, end] = [1, 2, 3, 4].map(|part| start + part * PART);
        let map = Map::read().expect("/proc is there");
        assert_eq!(map.stack(second), Some((Range { start: first, end: second }, true)));
        let whole = Range { start: first, end };
        assert_eq!(map.stack(end), Some((whole, false)), "it may have grown there, or others unmap what is below");
        assert_eq!(map.stack(third), Some((Range { end: third, ..whole }, false)));
        assert_eq!(map.stack(first), None, "a guard is no stack");
        // SAFETY: the mapping made above, of which nothing is left.
        unsafe { libc::munmap(start as *mut libc::c_void, 4 * PART) };
    }

    #[test]
    fn a_thread_that_sleeps_is_seen_blocked_and_never_to_have_run() {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let sleeper = std::thread::spawn(move || {
            tell.send(process::thread_id()).expect("the test listens");
            ended.recv().expect_err("the other end is dropped");
        });
        let thread = told.recv().expect("the thread tells");
        let blocked = || match activity(thread) {
            Activity::Blocked { sp, switches, .. } => Some((sp, switches)),
            _ => None,
        };
        let first = (0..1000).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            blocked()
        });
        let first = first.expect("it blocks");
        assert_eq!(blocked(), Some(first), "nothing woke it");
        let mut listed = false;
        each_thread(&mut |number: u32| listed |= number == thread).expect("/proc is there");
        assert!(listed);
        let map = Map::read().expect("/proc is there");
        assert!(map.around(first.0).expect("its stack is mapped").holds(first.0));
        assert_eq!(map.around(8), None);
        let mut words = [0; 2];
        assert_eq!(copy(first.0, &mut words), Some(()));
        assert_eq!(copy(8, &mut words), None, "nothing is at address 8");
        drop(end);
        sleeper.join().expect("it ends");
        // The kernel may need a moment to take it off the list.
        assert!((0..1000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            activity(thread) == Activity::Gone
        }));
    }
}
