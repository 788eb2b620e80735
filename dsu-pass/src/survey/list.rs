//! The list of functions and sources to leave alone. LLVM parses it: the format is that of clang's
//! `-fsanitize-ignorelist`, entries `fun:GLOB` and `src:GLOB`, sections `[dsu]` or none.

use std::path::Path;

use super::Reason;
use crate::llvm::{LlvmError, SpecialCaseList, Value};

/// The list cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to use the list `{0}`: {1}")]
pub struct ListError(String, #[source] LlvmError);

pub(super) struct List {
    path: String,
    entries: SpecialCaseList,
}

impl List {
    pub(super) fn read(path: &Path) -> Result<Self, ListError> {
        let name = path.to_string_lossy().into_owned();
        match SpecialCaseList::open(&name) {
            Ok(entries) => Ok(Self { path: name, entries }),
            Err(error) => Err(ListError(name, error)),
        }
    }

    /// Why the list wants `function` left alone; `main_source` is the unit's.
    pub(super) fn reason(&self, function: Value<'_>, main_source: &str) -> Option<Reason> {
        let own = function.source_file();
        let absolute = own.as_ref().map(|file| Path::new(&file.directory).join(&file.path));
        let sources = [Some(main_source.to_owned()), own.map(|file| file.path)];
        let sources = sources.into_iter().flatten().chain(absolute.map(|path| path.to_string_lossy().into_owned()));
        let by_source = || sources.into_iter().find_map(|source| self.entries.line(c"src", &source));
        let line = self.entries.line(c"fun", &function.name()).or_else(by_source)?;
        Some(Reason::Listed { list: self.path.clone(), line })
    }
}
