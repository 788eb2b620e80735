//! See the library.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use patchgen::cli::{Cli, Command};
use patchgen::emit::{Tools, write};
use patchgen::explain::Report;
use patchgen::input::{BASE_ENDING, Build};
use patchgen::pipeline::Order;
use patchgen::problem::{Problem, Reason, Result};
use patchgen::progress::Progress;
use patchgen::verdict::Verdict;
use patchgen::{exit, inspect, pipeline};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = matches!(cli.command, Command::Diff { json: true, .. } | Command::Build { json: true, .. });
    match run(cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            let refused = problem.reason.exit() == exit::REFUSED;
            if json {
                // The same shape as a refusal that was found later.
                let verdict = if refused { "refused" } else { "failed" };
                print(
                    &serde_json::json!({"verdict": verdict, "changes": [], "update_set": [], "refusals": [problem]})
                        .to_string(),
                );
            }
            eprintln!("patchgen: {}: {problem}", if refused { "refused" } else { "error" });
            ExitCode::from(problem.reason.exit())
        }
    }
}

fn run(command: Command) -> Result<u8> {
    match command {
        Command::Base { app, output, strip } => base(&app, output, strip),
        Command::Diff { old, new, json, ir } => {
            let (report, _) = pipeline::compare(&pipeline::read(&old, &new)?, None, &Progress::default())?;
            show(&report, json, ir);
            Ok(code(&report))
        }
        // `all_functions` is what takes the place of a new build.
        Command::Build { old, new, all_functions: _, output, name, consistency, json, keep } => {
            let stem = output.file_stem().map(|s| s.to_string_lossy().into_owned());
            let name = name.or(stem).unwrap_or_else(|| String::from("patch"));
            let mut tools = Tools::default();
            tools.keep = keep;
            let order = Order { name: &name, tools: &tools, consistency };
            build(&old, new.as_deref(), order, &output, json)
        }
        Command::Inspect { patch, json, dot } => {
            let inspected = inspect::inspect(&patch)?;
            match (json, dot) {
                (true, _) => print(&format!("{:#}", inspected.json)),
                (_, true) => print(inspected.dot().trim_end()),
                _ => print(inspected.text().trim_end()),
            }
            Ok(exit::DONE)
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "patchgen", &mut std::io::stdout());
            Ok(exit::DONE)
        }
        Command::Man { directory } => {
            let pages = clap_mangen::generate_to(Cli::command(), &directory);
            pages.map_err(|e| Problem::new(Reason::Unwritable, directory.display().to_string(), e.to_string()))?;
            Ok(exit::DONE)
        }
    }
}

/// A closed pipe (`patchgen inspect x | head`) is the reader's choice, not an error.
fn print(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn show(report: &Report, json: bool, ir: bool) {
    if json {
        print(&serde_json::to_string_pretty(report).expect("a report has string keys"));
    } else {
        print(report.text(ir, std::io::stdout().is_terminal()).trim_end());
        for problem in &report.refusals {
            eprintln!("patchgen: refused: {problem}");
        }
    }
}

fn code(report: &Report) -> u8 {
    match report.verdict {
        Verdict::Apply => exit::DONE,
        Verdict::NoChange => exit::NO_CHANGE,
        Verdict::Refused => exit::REFUSED,
    }
}

fn base(app: &Path, output: Option<PathBuf>, strip: bool) -> Result<u8> {
    let build = Build::read(app)?;
    let output = output.unwrap_or_else(|| {
        let mut name = app.as_os_str().to_owned();
        name.push(format!(".{BASE_ENDING}"));
        PathBuf::from(name)
    });
    write::atomically(&output, &build.to_container()?, 0o644)?;
    if strip {
        write::without_record(app)?;
    }
    let functions = build.units.iter().flat_map(|u| &u.symbols).filter(|s| s.is_function() && s.slot != 0).count();
    print(&format!(
        "{}: {} units, {functions} updatable functions, build-id {}",
        output.display(),
        build.units.len(),
        build.build_id_hex()
    ));
    Ok(exit::DONE)
}

fn build(old: &Path, new: Option<&Path>, order: Order<'_>, output: &Path, json: bool) -> Result<u8> {
    let progress = Progress::default();
    let (report, finished) = match new {
        Some(new) => pipeline::compare(&pipeline::read(old, new)?, Some(order), &progress)?,
        None => pipeline::replace_all(old, order, &progress)?,
    };
    drop(progress);
    if let Some(finished) = finished {
        write::atomically(output, &finished.bytes, 0o644)?;
    }
    show(&report, json, false);
    Ok(code(&report))
}
