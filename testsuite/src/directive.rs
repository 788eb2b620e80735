//! The directives of a case: one table, name -> meaning -> parser. `cases/README.md` is this table printed, and a
//! tidy test keeps it so.

use anyhow::{Context, Result, bail};

use crate::config::{Compiler, Config, Consistency, Dispatch, Step};

/// What a directive is for, which decides how it is inherited and whether it proves anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How to build or start the program. At most once in a config; replaces the parent's of the same name.
    Setting,
    /// As [`Kind::Setting`], but may be repeated.
    Settings,
    /// What plugin and patchgen must say; may be repeated, replaces the parent's of the same name.
    Check,
    /// Something to do with the live process. A config with any step of its own inherits none.
    Step,
    /// What the step before it must have led to.
    StepCheck,
}

impl Kind {
    /// Whether it belongs to the script, which is inherited as a whole.
    pub fn is_script(self) -> bool {
        matches!(self, Self::Step | Self::StepCheck)
    }

    /// Whether a config may state it more than once.
    pub fn repeats(self) -> bool {
        self != Self::Setting
    }

    /// Whether a config that has it proves something.
    pub fn proves(self) -> bool {
        matches!(self, Self::Check | Self::StepCheck)
    }
}

/// One directive.
pub struct Directive {
    /// Name, as in `//#Name:value`.
    pub name: &'static str,
    /// Form of the value.
    pub form: &'static str,
    /// See [`Kind`].
    pub kind: Kind,
    /// What it says, for the reader of a case.
    pub meaning: &'static str,
    parse: fn(&str, &mut Config) -> Result<()>,
}

impl Directive {
    /// Puts `value` into `config`.
    ///
    /// # Errors
    /// When the value has not the directive's form.
    pub fn apply(&self, value: &str, config: &mut Config) -> Result<()> {
        (self.parse)(value, config)
            .with_context(|| format!("`{}:{value}` is not of the form `{}:{}`", self.name, self.name, self.form))
    }
}

/// Name of the one directive that is not in the table: it opens a config.
pub const CONFIG: &str = "Config";

/// The directive called `name`.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Directive> {
    DIRECTIVES.iter().find(|d| d.name == name).with_context(|| {
        let known: Vec<_> = DIRECTIVES.iter().map(|d| d.name).collect();
        format!("unknown directive `{name}`; known are {CONFIG}, {}", known.join(", "))
    })
}

const fn row(
    name: &'static str,
    form: &'static str,
    kind: Kind,
    meaning: &'static str,
    parse: fn(&str, &mut Config) -> Result<()>,
) -> Directive {
    Directive { name, form, kind, meaning, parse }
}

/// All of them, settings first, in the order a case states them.
pub const DIRECTIVES: &[Directive] = &[
    row("CompArgs", "WORDS", Kind::Setting, "compiler arguments of every build; `-O2` when absent", |v, c| {
        put(&mut c.comp_args, words(v))
    }),
    row("LinkArgs", "WORDS", Kind::Setting, "further arguments of the link", |v, c| put(&mut c.link_args, words(v))),
    row("DsuArgs", "WORDS", Kind::Setting, "arguments for dsu-cc alone (`--dsu-…`)", |v, c| {
        put(&mut c.dsu_args, words(v))
    }),
    row("Compiler", "dsu-cc|dsu-c++", Kind::Setting, "the wrapper under test; dsu-c++ for a `v1.cc`", |v, c| {
        put(&mut c.compiler, Compiler::from_name(v)?)
    }),
    row("Linker", "bfd|gold|lld", Kind::Setting, "the linker; bfd when absent", |v, c| {
        put(&mut c.linker, one_of(v, &["bfd", "gold", "lld"])?)
    }),
    row("Unit", "FILE", Kind::Settings, "a further source file of the program", |v, c| push(&mut c.units, word(v)?)),
    row("Lib", "NAME.c", Kind::Settings, "an instrumented `libNAME.so`, linked to the program", |v, c| {
        let Some(name) = v.strip_suffix(".c") else { bail!("a C source is needed") };
        push(&mut c.libs, name.into())
    }),
    row("Module", "FILE", Kind::Setting, "what is diffed and patched; the program, `app`, when absent", |v, c| {
        put(&mut c.module, word(v)?)
    }),
    row(
        "Build",
        "SHELL",
        Kind::Setting,
        "builds `app` in place of the one compiler command; $CC, $CXX, $CFLAGS and $LDFLAGS are set, files are in `.`",
        |v, c| put(&mut c.build, Some(v.into())),
    ),
    row("Dispatch", "armed|always", Kind::Setting, "only this dispatch; a test for each when absent", |v, c| {
        put(&mut c.dispatches, vec![Dispatch::from_name(v)?])
    }),
    row(
        "Requires",
        "WORDS",
        Kind::Setting,
        "skip where the machine lacks it: root, mdwe, avx2, or a program's name",
        |v, c| put(&mut c.requires, words(v)),
    ),
    row(
        "Consistency",
        "newest|thread",
        Kind::Setting,
        "only this consistency; when absent, as the patch says and then in `thread`",
        |v, c| put(&mut c.consistencies, vec![Some(Consistency::from_name(v)?)]),
    ),
    row("Args", "WORDS", Kind::Setting, "arguments of the program", |v, c| put(&mut c.args, words(v))),
    row("Env", "NAME=VALUE", Kind::Settings, "environment of the program", |v, c| {
        let Some((name, value)) = v.split_once('=') else { bail!("no `=`") };
        push(&mut c.env, (name.into(), value.into()))
    }),
    row("Exit", "CODE", Kind::Setting, "exit code at the end (128 + signal after one); 0 when absent", |v, c| {
        put(&mut c.exit, v.parse()?)
    }),
    row(
        "NoOracle",
        "REASON",
        Kind::Setting,
        "the updated process may answer otherwise than a fresh v2; the old one is still compared with plain v1",
        |v, c| put(&mut c.no_oracle, Some(v.into())),
    ),
    row("StaleSocket", "REASON", Kind::Setting, "the process cannot remove its socket; `dsuctl ps` has to", |v, c| {
        put(&mut c.stale_socket, Some(v.into()))
    }),
    row(
        "ExpectChanged",
        "NAME, …",
        Kind::Check,
        "exactly these differ between v1 and v2; `name(kind)` to say how",
        |v, c| extend(c.expect.changed.get_or_insert_default(), list(v)),
    ),
    row(
        "ExpectClosure",
        "FUNCTION, …|FUNCTION: REASON",
        Kind::Check,
        "all of these lines together are the update set; a reason is a fragment of what patchgen gives as one",
        |v, c| {
            let lines = match v.split_once(": ") {
                Some((function, reason)) => vec![(function.into(), Some(reason.into()))],
                None => list(v).into_iter().map(|function| (function, None)).collect(),
            };
            extend(c.expect.closure.get_or_insert_default(), lines)
        },
    ),
    row("ExpectNoChange", "", Kind::Check, "patchgen sees no difference between v1 and v2", |v, c| {
        flag(v, &mut c.expect.no_change)
    }),
    row(
        "ExpectRefused",
        "REASON-ID [FRAGMENT]",
        Kind::Check,
        "patchgen refuses v1 -> v2, giving the reason and the message",
        |v, c| push(&mut c.expect.refused, head_tail(v)),
    ),
    row("ExpectSaid", "FRAGMENT", Kind::Check, "`patchgen build` tells a person this about v1 -> v2", |v, c| {
        push(&mut c.expect.said, v.into())
    }),
    row(
        "ExpectSkipped",
        "FUNCTION: REASON",
        Kind::Check,
        "the plugin leaves the function of v1 alone, and logs why",
        |v, c| {
            let Some((function, reason)) = v.split_once(": ") else { bail!("no `: `") };
            push(&mut c.expect.skipped, (function.into(), reason.into()))
        },
    ),
    row("ExpectSection", "NAME", Kind::Check, "v1 has this section, not empty", |v, c| {
        push(&mut c.expect.sections, word(v)?)
    }),
    row("RejectSection", "NAME", Kind::Check, "v1 has no such section", |v, c| {
        push(&mut c.expect.no_sections, word(v)?)
    }),
    row("Send", "LINE", Kind::Step, "types a line into the program and reads its reply", |v, c| {
        push(&mut c.steps, Step::Send(v.into()))
    }),
    row("Expect", "LINE", Kind::StepCheck, "a line of the last reply is this", |v, c| {
        after_send(c)?;
        push(&mut c.steps, Step::Expect(v.into()))
    }),
    row("Reject", "LINE", Kind::StepCheck, "no line of the last reply is this", |v, c| {
        after_send(c)?;
        push(&mut c.steps, Step::Reject(v.into()))
    }),
    row("Update", "vN [FILE]", Kind::Step, "applies patchgen's v1 -> vN, or a FILE that a RunTool made", |v, c| {
        let (number, file) = head_tail(v);
        push(&mut c.steps, Step::Update { version: version(&number)?, file })
    }),
    row(
        "Revert",
        "[vN]",
        Kind::Step,
        "dsuctl reverts to the patch before, which brought vN; to the base when absent",
        |v, c| {
            let version = if v.is_empty() { None } else { Some(version(v)?) };
            push(&mut c.steps, Step::Revert(version))
        },
    ),
    row(
        "ApplyFails",
        "vN|FILE CODE FRAGMENT",
        Kind::StepCheck,
        "dsuctl apply of that patch fails with this code and one line that has the fragment; the version stays",
        |v, c| {
            let (patch, rest) = head_tail(v);
            let (code, message) = head_tail(&rest);
            push(&mut c.steps, Step::ApplyFails { patch, code: code.parse()?, message })
        },
    ),
    row("RevertFails", "CODE FRAGMENT", Kind::StepCheck, "dsuctl revert fails likewise", |v, c| {
        let (code, message) = head_tail(v);
        push(&mut c.steps, Step::RevertFails { code: code.parse()?, message })
    }),
    row(
        "RunTool",
        "SHELL",
        Kind::Step,
        "a command with the tools in $PATH; $PID, $V1, $V2, $PATCH (v1 -> v2), $CC, $CFLAGS, $CASE are set",
        |v, c| push(&mut c.steps, Step::RunTool(v.into())),
    ),
    row("ToolExit", "CODE", Kind::StepCheck, "its exit code; 0 when no ToolExit or ToolError follows", |v, c| {
        after_tool(c)?;
        push(&mut c.steps, Step::ToolExit(v.parse()?))
    }),
    row(
        "ToolError",
        "CODE FRAGMENT",
        Kind::StepCheck,
        "its exit code, and the one line on stderr has the fragment",
        |v, c| {
            after_tool(c)?;
            let (code, message) = head_tail(v);
            push(&mut c.steps, Step::ToolError { code: code.parse()?, message })
        },
    ),
    row("ToolOut", "FRAGMENT", Kind::StepCheck, "its output has the fragment", |v, c| {
        after_tool(c)?;
        push(&mut c.steps, Step::ToolOut(v.into()))
    }),
    row("ToolReject", "FRAGMENT", Kind::StepCheck, "its output has no such fragment", |v, c| {
        after_tool(c)?;
        push(&mut c.steps, Step::ToolReject(v.into()))
    }),
];

/// The table as Markdown, for `cases/README.md`.
pub fn markdown() -> String {
    let mut out = String::from("| directive | meaning |\n|---|---|\n");
    out += &format!(
        "| `{CONFIG}:NAME[:PARENT]` | opens a config: what follows is its own, the rest comes from the parent, or from \
         what stands before the first config |\n"
    );
    for d in DIRECTIVES {
        let colon = if d.form.is_empty() { "" } else { ":" };
        out += &format!("| `{}{colon}{}` | {} |\n", d.name, d.form.replace('|', "\\|"), d.meaning);
    }
    out
}

fn put<T>(place: &mut T, value: T) -> Result<()> {
    *place = value;
    Ok(())
}

fn push<T>(place: &mut Vec<T>, value: T) -> Result<()> {
    place.push(value);
    Ok(())
}

fn extend<T>(place: &mut Vec<T>, values: Vec<T>) -> Result<()> {
    place.extend(values);
    Ok(())
}

fn flag(value: &str, place: &mut bool) -> Result<()> {
    nothing(value)?;
    put(place, true)
}

fn words(value: &str) -> Vec<String> {
    value.split_ascii_whitespace().map(Into::into).collect()
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(|item| item.trim().into()).collect()
}

fn word(value: &str) -> Result<String> {
    match words(value).as_slice() {
        [word] => Ok(word.clone()),
        _ => bail!("one word is needed"),
    }
}

fn nothing(value: &str) -> Result<()> {
    if value.is_empty() { Ok(()) } else { bail!("nothing may follow") }
}

fn one_of(value: &str, known: &[&str]) -> Result<String> {
    if known.contains(&value) { Ok(value.into()) } else { bail!("expected one of: {}", known.join(", ")) }
}

fn version(value: &str) -> Result<String> {
    let number = value.strip_prefix('v').context("a version is `v` and a number")?;
    number.parse::<u32>()?;
    Ok(value.into())
}

fn head_tail(value: &str) -> (String, String) {
    let (head, tail) = value.split_once(' ').unwrap_or((value, ""));
    (head.into(), tail.trim_start().into())
}

fn after_send(config: &Config) -> Result<()> {
    if config.steps.iter().any(|step| matches!(step, Step::Send(_))) { Ok(()) } else { bail!("no `Send` before it") }
}

fn after_tool(config: &Config) -> Result<()> {
    let last = config.steps.iter().rev().find(|step| !step.is_tool_check());
    if matches!(last, Some(Step::RunTool(_))) { Ok(()) } else { bail!("no `RunTool` right before it") }
}
