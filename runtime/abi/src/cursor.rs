//! Checked little-endian access to bytes nobody vouches for.

use core::fmt;

/// Why bytes were not accepted: a lowercase fragment to stand after "failed to read `FILE`: ".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatError(pub &'static str);

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for FormatError {}

/// Result of reading one of this crate's formats.
pub type Result<T> = core::result::Result<T, FormatError>;

/// `len` bytes at `offset`, or `what` as the error.
pub fn slice<'a>(bytes: &'a [u8], offset: u64, len: u64, what: &'static str) -> Result<&'a [u8]> {
    let start = usize::try_from(offset).map_err(|_| FormatError(what))?;
    let len = usize::try_from(len).map_err(|_| FormatError(what))?;
    let end = start.checked_add(len).ok_or(FormatError(what))?;
    bytes.get(start..end).ok_or(FormatError(what))
}

/// A position in a byte slice; every read is checked, and moves on.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// Reads from the start of `bytes`; `what` is the error when they end too early.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, at: 0, what }
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let end = self.at.checked_add(N).ok_or(FormatError(self.what))?;
        let found = self.bytes.get(self.at..end).ok_or(FormatError(self.what))?;
        let mut out = [0; N];
        out.copy_from_slice(found);
        self.at = end;
        Ok(out)
    }

    /// The next `len` bytes, where they are.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(len).ok_or(FormatError(self.what))?;
        let found = self.bytes.get(self.at..end).ok_or(FormatError(self.what))?;
        self.at = end;
        Ok(found)
    }

    /// The next `N` words of eight bytes: checked once, which takes less code than one by one.
    pub fn longs<const N: usize>(&mut self) -> Result<[u64; N]> {
        let mut longs = [0; N];
        let bytes = self.bytes(size_of_val(&longs))?;
        for (long, bytes) in longs.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *long = u64::from_le_bytes(*bytes);
        }
        Ok(longs)
    }

    /// The next byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// The next four bytes.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// The next eight bytes.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The next eight bytes, signed.
    pub fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }
}

/// The NUL-terminated UTF-8 string at `offset` of a string table.
pub fn string(table: &[u8], offset: u32) -> Result<&str> {
    const WHAT: FormatError = FormatError("string table: offset past the end, or text that is not UTF-8");
    let tail = table.get(offset as usize..).ok_or(WHAT)?;
    let end = tail.iter().position(|&b| b == 0).ok_or(WHAT)?;
    core::str::from_utf8(tail.get(..end).ok_or(WHAT)?).map_err(|_| WHAT)
}

/// A string table under construction: offset 0 is the empty string, equal strings share one place.
#[cfg(feature = "alloc")]
#[derive(Debug, Clone)]
pub struct Strings {
    bytes: alloc::vec::Vec<u8>,
    known: alloc::collections::BTreeMap<alloc::string::String, u32>,
}

#[cfg(feature = "alloc")]
impl Default for Strings {
    fn default() -> Self {
        Self { bytes: alloc::vec![0], known: Default::default() }
    }
}

#[cfg(feature = "alloc")]
impl Strings {
    /// The offset of `text`, added if it is new. A NUL inside `text` ends it.
    pub fn add(&mut self, text: &str) -> u32 {
        let text = text.split('\0').next().unwrap_or_default();
        if text.is_empty() {
            return 0;
        }
        if let Some(&at) = self.known.get(text) {
            return at;
        }
        let at = u32::try_from(self.bytes.len()).expect("string tables stay below 4 GiB: they hold symbol names");
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        self.known.insert(text.into(), at);
        at
    }

    /// The finished table.
    pub fn into_bytes(self) -> alloc::vec::Vec<u8> {
        self.bytes
    }
}
