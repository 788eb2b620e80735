//! A refusal: a code, the thing it is about, what more can be said.

use core::sync::atomic::{AtomicU8, Ordering};

use dsu_abi::file::Refusal;
use dsu_abi::wire::{Code, Failure};

use crate::sys::Errno;
use crate::text::Text;

/// Result of a step that may refuse.
pub(crate) type Result<T> = core::result::Result<T, Fail>;

const SUBJECT_MAX: usize = 512;

/// What the last refusal was about. What it was read from may be gone when it is reported, and a refusal is handed on
/// through many functions, so the text is here and not in it. Only the runtime's thread refuses anything.
static SUBJECT: [AtomicU8; SUBJECT_MAX] = [const { AtomicU8::new(0) }; SUBJECT_MAX];

/// See [`Failure`].
pub(crate) struct Fail {
    code: Code,
    errno: i32,
    detail: &'static str,
}

impl Fail {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(code: Code, subject: &str, detail: &'static str) -> Self {
        let ended = subject.bytes().chain([0]);
        for (place, byte) in SUBJECT.iter().zip(ended) {
            place.store(byte, Ordering::Relaxed);
        }
        Self { code, errno: 0, detail }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn system(code: Code, errno: Errno, detail: &'static str) -> Self {
        Self { errno: errno.0, ..Self::new(code, "", detail) }
    }

    /// Puts it into words for a client.
    pub(crate) fn report<T>(&self, send: impl FnOnce(Failure<'_>) -> T) -> T {
        let mut subject: Text<SUBJECT_MAX> = Text::empty();
        for byte in SUBJECT.iter().map(|byte| byte.load(Ordering::Relaxed)).take_while(|byte| *byte != 0) {
            subject = subject.with(&[byte]);
        }
        send(Failure { code: self.code, errno: self.errno, subject: subject.as_str(), detail: self.detail })
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
