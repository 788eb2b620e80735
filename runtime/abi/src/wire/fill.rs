//! The bytes of a packet, one value after the other. No function here is written out where it is used: this is linked
//! into every program.

use super::{PACKET_MAX, TEXT_MAX};

/// Fills a packet; what does not fit is dropped, which [`TEXT_MAX`] keeps from happening.
pub(super) struct Fill<'b> {
    pub(super) out: &'b mut [u8; PACKET_MAX],
    pub(super) at: usize,
}

impl Fill<'_> {
    #[inline(never)]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len());
        if let Some(place) = self.out.get_mut(self.at..end) {
            for (to, from) in place.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.at = end;
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], max: usize) {
        let bytes = bytes.get(..max).unwrap_or(bytes);
        self.put(&(bytes.len() as u16).to_le_bytes());
        self.put(bytes);
    }

    #[inline(never)]
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(clip(text).as_bytes(), TEXT_MAX);
    }

    #[inline(never)]
    pub(super) fn words(&mut self, words: &[u32]) {
        for word in words {
            self.put(&word.to_le_bytes());
        }
    }

    #[inline(never)]
    pub(super) fn longs(&mut self, longs: &[u64]) {
        for long in longs {
            self.put(&long.to_le_bytes());
        }
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
