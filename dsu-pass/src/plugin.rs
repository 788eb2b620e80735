//! The pipeline, once per translation unit. Each step takes what the one before returned.

use crate::capture::{self, CaptureError};
use crate::instrument;
use crate::llvm::{Module, export_plugin};
use crate::options::{Options, OptionsError};
use crate::record;
use crate::report;
use crate::survey::{self, ListError};
use crate::waits::{self, List, PointsError};

/// Why a unit could not be instrumented; clang reports it as an error of the compilation.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The plugin was called with options that make no sense.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The file of quiescence points cannot be used.
    #[error(transparent)]
    Points(#[from] PointsError),
    /// The list of functions to leave alone cannot be used.
    #[error(transparent)]
    List(#[from] ListError),
    /// The record could not be made.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// What was left alone could not be logged.
    #[error(transparent)]
    Report(#[from] report::ReportError),
}

export_plugin!(run_for_llvm);

fn run_for_llvm(module: &Module<'_>, arguments: &str) -> Result<(), String> {
    run(module, arguments).map_err(|error| error.to_string())
}

/// Instruments the module in place.
///
/// # Errors
/// When an option, a list or the log cannot be used as asked.
pub fn run(module: &Module<'_>, arguments: &str) -> Result<(), PluginError> {
    let options: Options = arguments.parse()?;
    if let Some(reason) = survey::unit_reason(module) {
        return Ok(report::unit_left_alone(module, &reason, &options)?);
    }
    let list = options.points.as_deref().map(List::read).transpose()?.unwrap_or_default();
    let survey = survey::survey(module, &options)?;
    let waited = waits::place(survey, &list, &options);
    debug_assert_eq!(module.verify(), Ok(()));
    report::unit(&waited, &options)?;
    let captured = capture::capture(waited, &options)?;
    let instrumented = instrument::instrument(captured, &options);
    record::record(instrumented);
    Ok(())
}
