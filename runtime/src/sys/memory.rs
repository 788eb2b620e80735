//! Memory that is not from malloc (which the program may have patched, replaced or locked): tables of fixed
//! capacity, sealed copies of files, and the protection of text.

use core::ffi::CStr;
use core::marker::PhantomData;

use super::{Errno, Fd, check, check_size};
use crate::arch::PAGE;

fn map(len: usize, protection: i32, flags: i32, fd: i32) -> Result<*mut u8, Errno> {
    // SAFETY: without MAP_FIXED the kernel chooses free addresses: no existing mapping is touched.
    let at = unsafe { libc::mmap(core::ptr::null_mut(), len, protection, flags, fd, 0) };
    if at == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(at.cast()) }
}

/// Bytes of the pages that a table takes.
#[inline(never)]
fn pages(capacity: usize, size: usize) -> Option<usize> {
    let bytes = capacity.max(1).checked_mul(size.max(1))?.checked_add(PAGE - 1)?;
    Some(bytes & !(PAGE - 1))
}

#[inline(never)]
fn table_pages(bytes: usize) -> Result<*mut u8, Errno> {
    map(bytes, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
}

/// Up to `capacity` values in pages of their own; never moves, so that references survive while it lives.
pub(crate) struct Table<T> {
    start: *mut T,
    len: usize,
    capacity: usize,
    values: PhantomData<T>,
}

impl<T> Table<T> {
    /// A table without room.
    pub(crate) const fn empty() -> Self {
        Self { start: core::ptr::null_mut(), len: 0, capacity: 0, values: PhantomData }
    }

    pub(crate) fn with_capacity(capacity: usize) -> Result<Self, Errno> {
        let start = pages(capacity, size_of::<T>()).ok_or(Errno::NOMEM).and_then(table_pages)?.cast();
        Ok(Self { start, len: 0, capacity, values: PhantomData })
    }

    /// Adds a value; an error when the table is full.
    pub(crate) fn push(&mut self, value: T) -> Result<(), Errno> {
        if self.len >= self.capacity {
            return Err(Errno::NOMEM);
        }
        // SAFETY: `len < capacity`, and the mapping holds `capacity` values; pages are aligned for any T here.
        unsafe { self.start.add(self.len).write(value) };
        self.len += 1;
        Ok(())
    }

    /// The values so far.
    pub(crate) fn as_slice(&self) -> &[T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the first `len` values were written by `push`, and `&self` keeps them from being changed.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }

    /// The values so far, to be changed.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: the first `len` values were written by `push`, and `&mut self` keeps others from them.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.len) }
    }

    /// The values, beyond the table's borrow.
    ///
    /// # Safety
    /// They are not used any more when the table is dropped, and `push` is not called again.
    pub(crate) unsafe fn lasting(&self) -> &'static [T] {
        // SAFETY: written by `push`; the caller vouches for the rest.
        unsafe { &*core::ptr::from_ref(self.as_slice()) }
    }

    /// Its only value, which lives until it is [`dropped`](Self::drop_leaked).
    pub(crate) fn leak(self) -> Option<&'static T> {
        let (start, len) = (self.start, self.len);
        core::mem::forget(self);
        // SAFETY: written by `push`; the mapping stays, for `self` is forgotten.
        (len == 1).then(|| unsafe { &*start })
    }

    /// Drops the value of a leaked table of capacity one, and unmaps its page.
    ///
    /// # Safety
    /// It comes from [`Self::leak`], and nobody uses it any more.
    pub(crate) unsafe fn drop_leaked(value: &'static T) {
        let start = core::ptr::from_ref(value).cast_mut();
        drop(Self { start, len: 1, capacity: 1, values: PhantomData });
    }
}

impl<T> Drop for Table<T> {
    #[inline(never)]
    fn drop(&mut self) {
        if let (false, Some(bytes)) = (self.start.is_null(), pages(self.capacity, size_of::<T>())) {
            // SAFETY: the values were written by `push` and are dropped once; then exactly the mapping `with_capacity`
            // made goes. The borrow checker ended all references into it.
            unsafe {
                core::ptr::drop_in_place(self.as_mut_slice());
                libc::munmap(self.start.cast(), bytes);
            }
        }
    }
}

/// Memory for `count` values whose bytes are zero, which must be a value of `T`; it stays.
pub(crate) fn zeroed<T>(count: usize) -> Option<*mut T> {
    let bytes = count.checked_mul(size_of::<T>())?.checked_next_multiple_of(PAGE)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    map(bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1).ok().map(<*mut u8>::cast)
}

/// A private copy of a file in sealed memory: nobody can change or shorten it any more.
pub(crate) struct SealedCopy {
    /// For the dynamic linker, and for debuggers later.
    pub(crate) fd: Fd,
    start: *const u8,
    len: usize,
}

impl SealedCopy {
    /// Copies the first `len` bytes of `file`. An end before that is an error.
    pub(crate) fn new(file: &Fd, len: usize, name: &CStr) -> Result<Self, Errno> {
        let fd = memfd(name)?;
        let size = libc::off_t::try_from(len).map_err(|_| Errno::NOMEM)?;
        // SAFETY: plain system call on a descriptor of ours.
        check(unsafe { libc::ftruncate(fd.number(), size) })?;
        let mut copied = 0;
        while copied < len {
            // SAFETY: plain system call on two descriptors of ours; a null offset means their own positions.
            let moved = unsafe {
                let mut from = copied as libc::off_t;
                libc::sendfile(fd.number(), file.number(), &raw mut from, len - copied)
            };
            match check_size(moved) {
                Ok(0) => return Err(Errno(libc::ENODATA)),
                Ok(moved) => copied += moved,
                Err(Errno(libc::EINTR)) => {}
                Err(error) => return Err(error),
            }
        }
        let seals = libc::F_SEAL_WRITE | libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;
        // SAFETY: plain system call on a descriptor of ours.
        check(unsafe { libc::fcntl(fd.number(), libc::F_ADD_SEALS, seals) })?;
        let start = map(len.max(1), libc::PROT_READ, libc::MAP_PRIVATE, fd.number())?;
        Ok(Self { fd, start, len })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: mapped by `new` with this length, unmapped by `drop` only; the seals keep it from changing.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }

    /// The bytes, beyond its borrow.
    ///
    /// # Safety
    /// They are not used any more when it is dropped.
    pub(crate) unsafe fn lasting(&self) -> &'static [u8] {
        // SAFETY: as in `bytes`; the caller vouches for the rest.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }
}

impl Drop for SealedCopy {
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: exactly the mapping `new` made; no slice of it outlives `self`.
        unsafe { libc::munmap(self.start.cast_mut().cast(), self.len.max(1)) };
    }
}

/// An empty file in memory that may be sealed, and mapped executable. Kernels before 6.3 do not know `MFD_EXEC`.
fn memfd(name: &CStr) -> Result<Fd, Errno> {
    const MFD_EXEC: u32 = 0x10;
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name is NUL-terminated and only read.
    let made = check(unsafe { libc::memfd_create(name.as_ptr(), flags | MFD_EXEC) });
    let made = match made {
        // SAFETY: as above.
        Err(Errno(libc::EINVAL)) => check(unsafe { libc::memfd_create(name.as_ptr(), flags) }),
        other => other,
    };
    made.map(Fd::new)
}

/// Size of a regular file; anything else (a pipe would block, a device never end) is an error.
pub(crate) fn regular_file_size(fd: &Fd) -> Result<u64, Errno> {
    let status = super::process::fstat(fd)?;
    if status.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(Errno(libc::EINVAL));
    }
    u64::try_from(status.st_size).map_err(|_| Errno(libc::EINVAL))
}

/// Whole pages of one text segment, and the protection they have outside a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextSpan {
    /// First address.
    pub(crate) start: usize,
    /// Bytes.
    pub(crate) len: usize,
    /// `PROT_*` outside a commit.
    pub(crate) protection: i32,
}

/// Takes the code of a patch away, or gives it back: its pages come from the sealed copy again.
pub(crate) fn set_code_present(start: usize, len: usize, present: bool) -> Result<(), Errno> {
    let protection = if present { libc::PROT_READ | libc::PROT_EXEC } else { libc::PROT_NONE };
    // SAFETY: whole pages of an executable segment of a patch object, which nobody writes to. Taken away only when no
    // thread can return there (`crate::reclaim`); a late one would fault rather than run something else.
    unsafe {
        check(libc::mprotect(start as *mut libc::c_void, len, protection))?;
        if !present {
            libc::madvise(start as *mut libc::c_void, len, libc::MADV_DONTNEED);
        }
    }
    Ok(())
}

/// Makes pages of text writable as well, or gives them back the protection they had.
pub(crate) fn set_text_writable(span: &TextSpan, writable: bool) -> Result<(), Errno> {
    let protection = if writable { span.protection | libc::PROT_WRITE } else { span.protection };
    // SAFETY: a span lies inside one executable segment of a module that is held (`PinnedModule::text_span`): readable and
    // executable before, between and after, so no thread running there notices.
    check(unsafe { libc::mprotect(span.start as *mut libc::c_void, span.len, protection) }).map(drop)
}

/// Whether this process may change its text at all: asked before anything is loaded for it.
pub(crate) fn check_writable(span: &TextSpan) -> Result<(), Errno> {
    set_text_writable(span, true).and_then(|()| set_text_writable(span, false))
}
