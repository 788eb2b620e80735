//! Says what was left alone, where threads may move, and why: on the standard error when asked to, and in the log.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use crate::llvm::Module;
use crate::options::Options;
use crate::survey::UnitReason;
use crate::waits::Waited;

/// The log could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the log `{0}`: {1}; name another file with `--dsu-log`")]
pub struct ReportError(PathBuf, #[source] std::io::Error);

/// Reports a unit left alone.
pub(crate) fn unit_left_alone(module: &Module<'_>, reason: &UnitReason, options: &Options) -> Result<(), ReportError> {
    say(&format!("{}: left alone: {reason}\n", module.source_file_name()), options)
}

/// Reports functions left alone, and where threads wait.
pub(crate) fn unit(waited: &Waited<'_>, options: &Options) -> Result<(), ReportError> {
    let source = waited.survey.module.source_file_name();
    let mut lines: Vec<String> = Vec::new();
    for skipped in &waited.survey.skipped {
        lines.push(format!("{source}: function `{}` left alone: {}", skipped.function.name(), skipped.reason));
    }
    for place in &waited.places {
        let what = match place.kind {
            "point" => "quiescence point".to_owned(),
            "idle" => format!("idle region around `{}`", place.callee),
            _ => format!("event loop `{}`", place.callee),
        };
        lines.push(format!("{source}:{}: {what} in `{}`: {}", place.line, place.function, place.why));
    }
    for body in &waited.loops {
        lines.push(match body.refused.is_empty() {
            true => format!("{source}: the body of a loop of `{}` is `{}`", body.function, body.body),
            false => format!("{source}: the body of a loop of `{}` stays in it: {}", body.function, body.refused),
        });
    }
    for nowhere in &waited.nowhere {
        lines.push(format!(
            "{source}: no quiescence point found for `{}` ({}); name it in the list of points, or use DSU_QUIESCENCE_POINT()",
            nowhere.function, nowhere.started
        ));
    }
    say(&lines.iter().map(|line| format!("{line}\n")).collect::<String>(), options)
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
