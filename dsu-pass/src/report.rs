//! Says what was left alone, and why: on the standard error when asked to, and in the log.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use crate::llvm::Module;
use crate::options::Options;
use crate::survey::{Survey, UnitReason};

/// The log could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the log `{0}`: {1}; name another file with `--dsu-log`")]
pub struct ReportError(PathBuf, #[source] std::io::Error);

/// Reports a unit left alone.
pub(crate) fn unit(module: &Module<'_>, reason: &UnitReason, options: &Options) -> Result<(), ReportError> {
    say(&format!("{}: left alone: {reason}\n", module.source_file_name()), options)
}

/// Reports functions left alone.
pub(crate) fn functions(survey: &Survey<'_>, options: &Options) -> Result<(), ReportError> {
    let source = survey.module.source_file_name();
    let mut text = String::new();
    for skipped in &survey.skipped {
        let function = skipped.function.name();
        writeln!(text, "{source}: function `{function}` left alone: {}", skipped.reason)
            .expect("writing to a string does not fail");
    }
    say(&text, options)
}

/// One write per unit, so that parallel compilations do not cut each other's lines.
fn say(text: &str, options: &Options) -> Result<(), ReportError> {
    if text.is_empty() {
        return Ok(());
    }
    if options.verbose {
        eprint!("{text}");
    }
    let Some(path) = &options.log else { return Ok(()) };
    let log = OpenOptions::new().create(true).append(true).open(path);
    log.and_then(|mut log| log.write_all(text.as_bytes())).map_err(|error| ReportError(path.clone(), error))
}
