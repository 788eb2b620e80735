//! The only place that starts anything: reads the surroundings, asks for a decision, tells the log, becomes clang.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::error::Error;
use super::facts::{self, Clang};
use super::invocation::Invocation;
use super::plan::{self, Decision, Reason};
use super::report::Report;
use super::settings::{Settings, is_own};
use super::{Language, help, response};

/// Runs the wrapper on the process's own arguments. Comes back only after the help, or with an error: otherwise the
/// process has become clang, whose exit status and signals are thereby its own.
///
/// # Errors
/// When clang could not be started as asked.
pub(crate) fn run(language: Language) -> Result<(), Error> {
    let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut facts = facts::gather()?;
    let mut settings = Settings::from_environment(&|name| std::env::var_os(name), &facts.directory)?;

    let expanded = response::expand(&typed, &|file| std::fs::read(file).ok());
    // Clang reads response files itself, however long; they are opened up only to take our own flags out of them.
    let hidden = expanded.iter().filter(|w| is_own(w)).count() > typed.iter().filter(|w| is_own(w)).count();
    let understood = settings.take_flags(expanded, &facts.directory)?;
    let passed = if hidden { understood.clone() } else { typed.into_iter().filter(|w| !is_own(w)).collect() };
    if settings.help {
        // A reader that has gone away, as `head` does, is no failure.
        let _ = std::io::stdout().write_all(help::text(language).as_bytes());
        return Ok(());
    }

    let clang = facts::find_clang(language)?;
    let invocation = Invocation::new(&understood);
    facts.missing_input = facts::missing(&invocation.files);
    let decision = plan::decide(&invocation, &settings, &facts)?;
    let report = Report { language, settings: &settings, directory: &facts.directory };
    let (arguments, reasons) = apply(decision, passed);
    report.reasons(&reasons, &understood)?;
    report.command(&clang, &arguments);
    Err(become_clang(clang, arguments))
}

/// The words clang gets, and what there is to say about them.
fn apply(decision: Decision, mut passed: Vec<OsString>) -> (Vec<OsString>, Vec<Reason>) {
    match decision {
        Decision::PassThrough(reason) => (passed, vec![reason]),
        Decision::Add(plan) => {
            let end_of_flags = passed.iter().position(|word| word == "--").unwrap_or(passed.len());
            passed.splice(end_of_flags..end_of_flags, plan.back);
            passed.splice(0..0, plan.front);
            (passed, plan.notes)
        }
    }
}

fn become_clang(clang: Clang, arguments: Vec<OsString>) -> Error {
    let mut command = Command::new(Path::new(&clang.program));
    let reason = command.args(&clang.mode).args(arguments).exec();
    Error::CannotRun { clang: clang.program, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapper::plan::Plan;

    #[test]
    fn additions_stay_flags_where_the_user_ended_the_flags() {
        let words = |line: &str| line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        let plan = || Plan { front: words("-F"), back: words("-B"), notes: Vec::new() };
        assert_eq!(apply(Decision::Add(plan()), words("a.c -o a")).0, words("-F a.c -o a -B"));
        assert_eq!(apply(Decision::Add(plan()), words("-o a -- a.c")).0, words("-F -o a -B -- a.c"));
        assert_eq!(apply(Decision::PassThrough(Reason::NoInputs), words("-v")).0, words("-v"));
    }
}
