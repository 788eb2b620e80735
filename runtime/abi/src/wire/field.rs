//! How the fields of a packet are written and read. No writer here is written out where it is used: this is linked into
//! every program.

use crate::cursor::{Cursor, FormatError, Result};
use crate::patch::BUILD_ID_MAX;

/// No packet is longer.
pub const PACKET_MAX: usize = 4096;
/// No text in a packet is longer.
pub const TEXT_MAX: usize = 1024;

/// Fills a packet; what does not fit is dropped, which [`TEXT_MAX`] keeps from happening.
pub(super) struct Fill<'b> {
    pub(super) out: &'b mut [u8; PACKET_MAX],
    pub(super) at: usize,
}

impl Fill<'_> {
    #[inline(never)]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len());
        if let Some(place) = self.out.get_mut(self.at..end) {
            for (to, from) in place.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.at = end;
        }
    }

    #[inline(never)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes(&[byte]);
    }

    #[inline(never)]
    pub(super) fn word(&mut self, word: u32) {
        self.bytes(&word.to_le_bytes());
    }

    #[inline(never)]
    fn long(&mut self, long: u64) {
        self.bytes(&long.to_le_bytes());
    }

    /// With its length in front of it.
    #[inline(never)]
    fn counted(&mut self, bytes: &[u8]) {
        self.bytes(&(bytes.len() as u16).to_le_bytes());
        self.bytes(bytes);
    }

    #[inline(never)]
    fn text(&mut self, text: &str) {
        self.counted(clip(text).as_bytes());
    }
}

/// At most [`TEXT_MAX`] bytes of `text`, cut between characters.
fn clip(text: &str) -> &str {
    let mut len = text.len().min(TEXT_MAX);
    while len > 0 {
        if let Some(head) = text.get(..len) {
            return head;
        }
        len -= 1;
    }
    ""
}

/// A value in a packet.
pub(super) trait Field<'a>: Sized {
    fn put(&self, to: &mut Fill<'_>);
    fn get(from: &mut Cursor<'a>) -> Result<Self>;
}

impl Field<'_> for u8 {
    fn put(&self, to: &mut Fill<'_>) {
        to.byte(*self);
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        from.u8()
    }
}

impl Field<'_> for u32 {
    fn put(&self, to: &mut Fill<'_>) {
        to.word(*self);
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        from.u32()
    }
}

impl Field<'_> for i32 {
    fn put(&self, to: &mut Fill<'_>) {
        to.word(*self as u32);
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        from.u32().map(|word| word as i32)
    }
}

impl Field<'_> for u64 {
    fn put(&self, to: &mut Fill<'_>) {
        to.long(*self);
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        from.u64()
    }
}

impl Field<'_> for bool {
    fn put(&self, to: &mut Fill<'_>) {
        to.byte(u8::from(*self));
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        match from.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(FormatError("message holds a flag that is neither set nor clear")),
        }
    }
}

/// A checksum.
impl Field<'_> for [u8; 32] {
    fn put(&self, to: &mut Fill<'_>) {
        to.bytes(self);
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        from.array()
    }
}

/// A build-id.
impl<'a> Field<'a> for &'a [u8] {
    fn put(&self, to: &mut Fill<'_>) {
        to.counted(self.get(..BUILD_ID_MAX).unwrap_or(self));
    }

    fn get(from: &mut Cursor<'a>) -> Result<Self> {
        counted(from, BUILD_ID_MAX)
    }
}

impl<'a> Field<'a> for &'a str {
    fn put(&self, to: &mut Fill<'_>) {
        to.text(self);
    }

    fn get(from: &mut Cursor<'a>) -> Result<Self> {
        let bytes = counted(from, TEXT_MAX)?;
        core::str::from_utf8(bytes).map_err(|_| FormatError("message holds text that is not UTF-8"))
    }
}

fn counted<'a>(from: &mut Cursor<'a>, max: usize) -> Result<&'a [u8]> {
    let len = usize::from(from.u16()?);
    if len > max {
        return Err(FormatError("message holds a text that is too long"));
    }
    from.bytes(len)
}
