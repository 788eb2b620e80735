//! See the library.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, ValueEnum};
use patchgen::build::git::{Made, Range, Recipe, Trees};
use patchgen::build::{BASE_ENDING, Build};
use patchgen::check::overrides::Override;
use patchgen::check::rules::Verdict;
use patchgen::cli::{Additions, Cli, Command, FromGit, Making};
use patchgen::patch::emit::{Tools, write};
use patchgen::patch::order::{Builds, Order};
use patchgen::problem::{Problem, Reason, Result};
use patchgen::progress::Progress;
use patchgen::report::explain::Report;
use patchgen::report::inspect;
use patchgen::report::page::{Format, Page};
use patchgen::{exit, pipeline};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = match &cli.command {
        Command::Diff { json, .. } => *json,
        Command::Build { making, .. } | Command::Git { making, .. } => making.json,
        _ => false,
    };
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
        Command::Diff { old, new, running, json, ir, additions } => {
            let accept = accepted(&additions);
            let builds = with_wishes(pipeline::read(&old, &new, running.as_deref())?, &additions)?;
            let (report, _) = pipeline::compare(&builds, &accept, None, &Progress::default())?;
            show(Some(&builds), &report, json, ir);
            Ok(code(&report))
        }
        // `all_functions` is what takes the place of a new build.
        Command::Build { old, new: None, all_functions: _, making, keep, .. } => {
            build(&Subject::SelfPatch(&old), &[], &making, keep)
        }
        Command::Build { old, new: Some(new), all_functions: _, running, making, keep, additions } => {
            let builds = with_wishes(pipeline::read(&old, &new, running.as_deref())?, &additions)?;
            build(&Subject::Change(&builds), &accepted(&additions), &making, keep)
        }
        Command::Git { from, running, making, additions } => {
            let accept = accepted(&additions);
            // A mistake in its name should not wait until everything is built.
            let base = from.base.as_deref().map(Build::read).transpose()?;
            let made = made_from_git(&from)?;
            let old = made.old.as_deref().map_or_else(|| Ok(base.expect("or it was built")), Build::read)?;
            let read = pipeline::pair_up(old, Build::read(&made.new)?, running.as_deref())?;
            let mut builds = with_wishes(read, &additions)?;
            builds.trees = Some(made.trees.clone());
            build(&Subject::Change(&builds), &accept, &making, None)
        }
        Command::Report { old, new, output, format, name, patch, additions } => {
            let wanted = ReportOptions { output, format, name, patch };
            report(&old, &new, &wanted, &additions)
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

fn show(builds: Option<&Builds>, report: &Report, json: bool, ir: bool) {
    if json {
        print(&serde_json::to_string_pretty(report).expect("a report has string keys"));
    } else {
        if let Some(Builds { old, new, .. }) = builds {
            print(&format!("base      {}, build-id {}: only this one can be patched", old.name, old.build_id_hex()));
            print(&format!("becomes   {}, build-id {}", new.name, new.build_id_hex()));
        }
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
        Verdict::NoEffect => exit::NO_EFFECT,
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

/// The builds with what the release engineer adds to them.
fn with_wishes(builds: Builds, additions: &Additions) -> Result<Builds> {
    let mut builds = builds.with_hooks(additions.source().as_ref())?;
    builds.lines = additions.lines();
    Ok(builds)
}

/// A mistake in the command line ends the program, as clap's own checks do.
fn accepted(additions: &Additions) -> Vec<Override> {
    additions.accepted().unwrap_or_else(|error| error.exit())
}

/// What a patch is made of.
enum Subject<'s> {
    /// From one build to another.
    Change(&'s Builds),
    /// All functions of one build.
    SelfPatch(&'s Path),
}

fn build(subject: &Subject<'_>, accept: &[Override], making: &Making, keep: Option<PathBuf>) -> Result<u8> {
    let Making { output, name, consistency, report: page, json } = making;
    let stem = output.file_stem().map(|s| s.to_string_lossy().into_owned());
    let name = name.clone().or(stem).unwrap_or_else(|| String::from("patch"));
    let mut tools = Tools::default();
    tools.keep = keep;
    let order = Order { name: &name, tools: &tools, consistency: *consistency };
    let progress = Progress::default();
    let (builds, (report, finished)) = match subject {
        Subject::Change(builds) => (Some(*builds), pipeline::compare(builds, accept, Some(order), &progress)?),
        Subject::SelfPatch(old) => (None, pipeline::replace_all(old, order, &progress)?),
    };
    drop(progress);
    if let Some((path, builds)) = page.as_ref().zip(builds) {
        let text = Page::new(&report, builds, finished.as_ref(), &name).write(format_of(path))?;
        write::atomically(path, text.as_bytes(), 0o644)?;
    }
    if let Some(finished) = finished {
        write::atomically(output, &finished.bytes, 0o644)?;
    }
    show(builds, &report, *json, false);
    Ok(code(&report))
}

/// Both builds of a change in a repository; the old one unless there is a base.
fn made_from_git(from: &FromGit) -> Result<Made> {
    let diff = from.diff.as_deref().map(|path| {
        let mut bytes = Vec::new();
        let read = match path.to_str() {
            Some("-") => std::io::stdin().read_to_end(&mut bytes).map(|_| bytes),
            _ => std::fs::read(path),
        };
        read.map_err(|e| Problem::new(Reason::Unreadable, path.display().to_string(), e.to_string()))
    });
    let range = Range::find(&from.repo, &from.range, diff.transpose()?)?;
    let trees = Trees::check_out(&from.repo, range, from.keep.as_deref())?;
    trees.build(Recipe { shell: &from.build, program: &from.program }, from.base.is_none(), &Progress::default())
}

/// The format of a report by the name of its file.
fn format_of(path: &Path) -> Format {
    let ending = path.extension().and_then(|e| e.to_str());
    ending.and_then(|e| Format::from_str(e, true).ok()).unwrap_or(Format::Text)
}

/// The options of `report`.
struct ReportOptions {
    output: Option<PathBuf>,
    format: Option<Format>,
    name: Option<String>,
    patch: Option<PathBuf>,
}

fn report(old: &Path, new: &Path, wanted: &ReportOptions, additions: &Additions) -> Result<u8> {
    let made = wanted.patch.as_deref().map(inspect::inspect).transpose()?;
    let accept = made.as_ref().map_or_else(|| accepted(additions), inspect::Inspected::accepted);
    let builds = with_wishes(pipeline::read(old, new, None)?, additions)?;
    let named = wanted.name.clone().or_else(|| made.as_ref().map(inspect::Inspected::name));
    let name = named.unwrap_or_else(|| builds.new.name.clone());
    let tools = Tools::default();
    let consistency = made.as_ref().and_then(inspect::Inspected::consistency);
    let order = Order { name: &name, tools: &tools, consistency };
    let (report, finished) = pipeline::compare(&builds, &accept, Some(order), &Progress::default())?;
    if let Some((made, path)) = made.as_ref().zip(wanted.patch.as_deref()) {
        made.check_made_of(path, finished.as_ref())?;
    }
    let format = wanted.format.unwrap_or_else(|| wanted.output.as_deref().map_or(Format::Text, format_of));
    let text = Page::new(&report, &builds, finished.as_ref(), &name).write(format)?;
    match &wanted.output {
        Some(path) => write::atomically(path, text.as_bytes(), 0o644)?,
        None => print(text.trim_end()),
    }
    Ok(code(&report))
}
