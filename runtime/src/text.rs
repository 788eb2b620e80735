//! Short texts without an allocator: paths, and what is said about a refusal.

use core::ffi::CStr;

/// Adds `more` behind the first `len` bytes, and leaves room for a NUL; the new length. Once for all sizes of text.
#[inline(never)]
fn append(bytes: &mut [u8], len: usize, more: &[u8]) -> usize {
    let end = bytes.len().saturating_sub(1);
    let room = bytes.get_mut(len..end).unwrap_or(&mut []);
    for (to, from) in room.iter_mut().zip(more) {
        *to = *from;
    }
    len + more.len().min(room.len())
}

/// The decimal digits of a number.
#[inline(never)]
fn decimal(number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let (mut rest, mut count) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    digits.get(10 - count..).unwrap_or(&[])
}

/// Bytes up to the first NUL; `None` if the last one is none.
pub(crate) fn c_str(bytes: &[u8]) -> Option<&CStr> {
    // SAFETY: it ends with a NUL at the latest.
    bytes.ends_with(&[0]).then(|| unsafe { CStr::from_ptr(bytes.as_ptr().cast()) })
}

/// Bytes as UTF-8, up to the first that is not.
#[inline(never)]
fn utf8(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_else(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or(&[]);
        core::str::from_utf8(valid).unwrap_or("")
    })
}

/// At most `N - 1` bytes and a NUL; longer texts are clipped.
#[derive(Clone, Copy)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn empty() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    pub(crate) fn from_c_str(text: &CStr) -> Self {
        Self::empty().with(text.to_bytes())
    }

    /// Adds bytes at the end.
    #[inline(never)]
    pub(crate) fn with(mut self, more: &[u8]) -> Self {
        self.push(more);
        self
    }

    /// Likewise, where it is.
    pub(crate) fn push(&mut self, more: &[u8]) {
        self.len = append(&mut self.bytes, self.len, more);
    }

    /// Adds a number in decimal.
    pub(crate) fn with_number(self, number: u32) -> Self {
        self.with(decimal(number, &mut [0; 10]))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// The text as UTF-8, up to the first byte that is not.
    pub(crate) fn as_str(&self) -> &str {
        utf8(self.as_bytes())
    }

    /// The text for libc; `None` if it holds a NUL.
    pub(crate) fn as_c_str(&self) -> Option<&CStr> {
        c_str(&self.bytes).filter(|text| text.count_bytes() == self.len)
    }

    /// Whether something was, or may have been, clipped.
    pub(crate) fn is_full(&self) -> bool {
        self.len + 1 >= N
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_put_together_and_clipped() {
        let text = Text::<8>::empty().with(b"a").with_number(0).with_number(4_294);
        assert_eq!((text.as_str(), text.is_full()), ("a04294", false));
        let text = text.with(b"xyz");
        assert_eq!((text.as_c_str(), text.is_full()), (Some(c"a04294x"), true));
    }

    #[test]
    fn the_largest_number_has_all_its_digits() {
        assert_eq!(Text::<16>::empty().with_number(u32::MAX).as_str(), "4294967295");
    }

    #[test]
    fn what_is_not_utf8_ends_the_text() {
        assert_eq!(Text::<8>::empty().with(b"ab\xffc").as_str(), "ab");
    }
}
