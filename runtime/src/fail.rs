//! A refusal: a code, the thing it is about, what more can be said.

use core::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use dsu_abi::FormatError;
use dsu_abi::file::Refusal;
use dsu_abi::wire::{Code, Failure};

use crate::sys::Errno;
use crate::text::Text;

/// Result of a step that may refuse.
pub(crate) type Result<T> = core::result::Result<T, Fail>;

const SUBJECT_MAX: usize = 512;

/// What the last refusal was about. What it was read from may be gone when it is reported, and a refusal is handed on
/// through many functions, so all of it is here and a [`Fail`] is only the news of it: that halves the code of them.
/// Only the runtime's thread refuses anything, and it reports a refusal before it meets another.
static LAST: Last = Last {
    subject: [const { AtomicU8::new(0) }; SUBJECT_MAX],
    errno: AtomicI32::new(0),
    detail: [const { AtomicU8::new(0) }; SUBJECT_MAX],
};

struct Last {
    subject: [AtomicU8; SUBJECT_MAX],
    errno: AtomicI32,
    detail: [AtomicU8; SUBJECT_MAX],
}

/// See [`Failure`].
pub(crate) struct Fail(Code);

impl Fail {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(code: Code, subject: &str, detail: &'static str) -> Self {
        keep(&LAST.subject, subject);
        keep(&LAST.detail, detail);
        LAST.errno.store(0, Ordering::Relaxed);
        Self(code)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn system(code: Code, errno: Errno, detail: &'static str) -> Self {
        let fail = Self::new(code, "", detail);
        LAST.errno.store(errno.0, Ordering::Relaxed);
        fail
    }

    /// Puts it into words for a client.
    pub(crate) fn report<T>(&self, send: impl FnOnce(Failure<'_>) -> T) -> T {
        let (subject, detail) = (kept(&LAST.subject), kept(&LAST.detail));
        let errno = LAST.errno.load(Ordering::Relaxed);
        send(Failure { code: self.0, errno, subject: subject.as_str(), detail: detail.as_str() })
    }
}

fn keep(place: &[AtomicU8], text: &str) {
    for (place, byte) in place.iter().zip(text.bytes().chain([0])) {
        place.store(byte, Ordering::Relaxed);
    }
}

fn kept(place: &[AtomicU8]) -> Text<SUBJECT_MAX> {
    let mut text = Text::empty();
    for byte in place.iter().map(|byte| byte.load(Ordering::Relaxed)).take_while(|byte| *byte != 0) {
        text.push(&[byte]);
    }
    text
}

impl From<FormatError> for Fail {
    #[cold]
    #[inline(never)]
    fn from(error: FormatError) -> Self {
        Self::new(Code::PatchDamaged, "", error.0)
    }
}

impl From<Refusal> for Fail {
    fn from((code, error): Refusal) -> Self {
        Self::new(code, "", error.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_of_the_last_refusal_is_told_and_no_rest_of_one_before() {
        let told = |fail: &Fail| fail.report(|failure| (failure.subject.to_owned(), failure.errno));
        let long = "é".repeat(SUBJECT_MAX);
        assert!(long.starts_with(&told(&Fail::new(Code::Unresolved, &long, "")).0));
        assert_eq!(told(&Fail::new(Code::Unresolved, "parse", "")), ("parse".to_owned(), 0));
        assert_eq!(told(&Fail::system(Code::OutOfResources, Errno::NOMEM, "")), (String::new(), libc::ENOMEM));
    }
}
