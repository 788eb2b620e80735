//! A refusal: a code, the thing it is about, what more can be said.

use dsu_abi::file::Refusal;
use dsu_abi::wire::{Code, Failure};

use crate::sys::Errno;
use crate::text::Text;

/// Result of a step that may refuse.
pub(crate) type Result<T> = core::result::Result<T, Fail>;

/// See [`Failure`]; owns its texts, for what they were read from may be gone when it is reported.
pub(crate) struct Fail {
    code: Code,
    errno: i32,
    subject: Text<512>,
    detail: &'static str,
}

impl Fail {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(code: Code, subject: &str, detail: &'static str) -> Self {
        Self { code, errno: 0, subject: Text::empty().with(subject.as_bytes()), detail }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn system(code: Code, errno: Errno, detail: &'static str) -> Self {
        Self { code, errno: errno.0, subject: Text::empty(), detail }
    }

    pub(crate) fn as_packet(&self) -> Failure<'_> {
        Failure { code: self.code, errno: self.errno, subject: self.subject.as_str(), detail: self.detail }
    }
}

impl From<Refusal> for Fail {
    fn from((code, error): Refusal) -> Self {
        Self::new(code, "", error.0)
    }
}
