//! What a case says: how it is built, what has to be said about it, the steps with the live process. Plain data, which
//! [`crate::directive`] fills in.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

/// The wrapper a case is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compiler {
    /// `dsu-cc`.
    #[default]
    C,
    /// `dsu-c++`.
    Cxx,
}

impl Compiler {
    /// By the wrapper's name.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "dsu-cc" => Ok(Self::C),
            "dsu-c++" => Ok(Self::Cxx),
            _ => bail!("expected one of: dsu-cc, dsu-c++"),
        }
    }
}

/// How calls reach the newest version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispatch {
    /// Entries are overwritten when a patch comes.
    Armed,
    /// Every call goes through its slot.
    Always,
}

impl Dispatch {
    /// By the name that `--dsu-dispatch` takes.
    ///
    /// # Errors
    /// When there is no such dispatch.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "armed" => Ok(Self::Armed),
            "always" => Ok(Self::Always),
            _ => bail!("expected one of: armed, always"),
        }
    }

    /// The name that `--dsu-dispatch` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Always => "always",
        }
    }
}

/// When threads begin to run new versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Consistency {
    /// Every call that begins after the commit runs the newest version.
    Newest,
    /// Each thread moves by itself, at a quiescence point, to all new functions at once.
    Thread,
}

impl Consistency {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Newest, Self::Thread];

    /// By the name that `dsuctl apply --consistency` takes.
    ///
    /// # Errors
    /// When there is no such consistency.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "newest" => Ok(Self::Newest),
            "thread" => Ok(Self::Thread),
            _ => bail!("expected one of: newest, thread"),
        }
    }

    /// The name that `dsuctl apply --consistency` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Thread => "thread",
        }
    }

    /// What `dsuctl apply` is told.
    pub fn arguments(self) -> [&'static str; 2] {
        ["--consistency", self.name()]
    }
}

/// What plugin and patchgen must say about a case; see the table in [`crate::directive`].
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    /// `ExpectChanged`
    pub changed: Option<Vec<String>>,
    /// `ExpectClosure`: function, fragment of the reason
    pub closure: Option<Vec<(String, Option<String>)>>,
    /// `ExpectNoChange`
    pub no_change: bool,
    /// `ExpectRefused`: reason, fragment of the message
    pub refused: Vec<(String, String)>,
    /// `ExpectSaid`
    pub said: Vec<String>,
    /// `ExpectSkipped`: function, fragment of the reason
    pub skipped: Vec<(String, String)>,
    /// `ExpectSection`
    pub sections: Vec<String>,
    /// `RejectSection`
    pub no_sections: Vec<String>,
}

impl Expectations {
    /// Whether there is anything to ask patchgen about v1 and v2.
    pub fn about_patch(&self) -> bool {
        self.changed.is_some() || self.closure.is_some() || self.no_change || self.refuses() || !self.said.is_empty()
    }

    /// Whether the patch has to be refused.
    pub fn refuses(&self) -> bool {
        !self.refused.is_empty()
    }
}

/// One step; see the table in [`crate::directive`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the directive of its name, explained in the table of directives")]
pub enum Step {
    Send(String),
    Expect(String),
    Reject(String),
    Update { version: String, file: String },
    Revert(Option<String>),
    ApplyFails { patch: String, code: i32, message: String },
    RevertFails { code: i32, message: String },
    RunTool(String),
    ToolExit(i32),
    ToolError { code: i32, message: String },
    ToolOut(String),
    ToolReject(String),
}

impl Step {
    /// Whether it looks at the outcome of the `RunTool` before it.
    pub fn is_tool_check(&self) -> bool {
        matches!(self, Self::ToolExit(_) | Self::ToolError { .. } | Self::ToolOut(_) | Self::ToolReject(_))
    }

    /// Whether dsuctl does something to the process.
    pub fn reaches_process(&self) -> bool {
        match self {
            Self::Update { .. } | Self::Revert(_) | Self::ApplyFails { .. } | Self::RevertFails { .. } => true,
            Self::RunTool(shell) => shell.contains("dsuctl") || shell.contains("$PID"),
            _ => false,
        }
    }

    /// Whether it states the exit code of that.
    pub fn states_exit(&self) -> bool {
        matches!(self, Self::ToolExit(_) | Self::ToolError { .. })
    }
}

/// One way to build and drive a case; fields are the directives of the same name.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is the directive of its name, explained in the table of directives")]
pub struct Config {
    pub name: String,
    pub comp_args: Vec<String>,
    pub link_args: Vec<String>,
    pub dsu_args: Vec<String>,
    pub compiler: Compiler,
    pub linker: String,
    pub units: Vec<String>,
    pub libs: Vec<String>,
    pub module: String,
    pub build: Option<String>,
    pub dispatches: Vec<Dispatch>,
    pub requires: Vec<String>,
    pub consistencies: Vec<Option<Consistency>>,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub exit: i32,
    pub no_oracle: Option<String>,
    pub stale_socket: Option<String>,
    pub expect: Expectations,
    pub steps: Vec<Step>,
}

impl Config {
    /// What holds where a case states nothing.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            comp_args: vec!["-O2".into()],
            link_args: Vec::new(),
            dsu_args: Vec::new(),
            compiler: Compiler::default(),
            linker: "bfd".into(),
            units: Vec::new(),
            libs: Vec::new(),
            module: "app".into(),
            build: None,
            dispatches: vec![Dispatch::Armed, Dispatch::Always],
            requires: Vec::new(),
            consistencies: vec![None, Some(Consistency::Thread)],
            args: Vec::new(),
            env: Vec::new(),
            exit: 0,
            no_oracle: None,
            stale_socket: None,
            expect: Expectations::default(),
            steps: Vec::new(),
        }
    }

    /// Whether `other` builds by the same commands.
    pub fn builds_like(&self, other: &Self) -> bool {
        let of = |config: &Self| {
            let arguments = [&config.comp_args, &config.link_args, &config.dsu_args, &config.units, &config.libs];
            (arguments.map(Clone::clone), config.compiler, config.linker.clone(), config.build.clone())
        };
        of(self) == of(other)
    }

    /// The dispatches it is tested with: `armed`, the first, alone where it is about a patch that no process gets. An entry may
    /// have no room for what `armed` writes there, `always` refuses nothing more; and sections are those of one dispatch.
    pub fn dispatches(&self) -> &[Dispatch] {
        let sections = !self.expect.sections.is_empty() || !self.expect.no_sections.is_empty();
        let of_patch = self.expect.about_patch() && !sections && !self.steps.iter().any(Step::reaches_process);
        if of_patch { self.dispatches.get(..1).unwrap_or_default() } else { &self.dispatches }
    }

    /// How its patches are applied, in turn; nothing is as the patch says.
    pub fn consistencies(&self) -> &[Option<Consistency>] {
        let updates = !self.updates().is_empty();
        if updates || self.consistencies.len() == 1 { &self.consistencies } else { &[None] }
    }

    /// The versions it updates to.
    pub fn updates(&self) -> BTreeSet<&str> {
        let mut versions = BTreeSet::new();
        for step in &self.steps {
            if let Step::Update { version, .. } = step {
                versions.insert(version.as_str());
            }
        }
        versions
    }

    /// The versions this config works with, v1 always among them.
    pub fn versions(&self) -> BTreeSet<String> {
        let mut versions: BTreeSet<String> = self.updates().into_iter().map(Into::into).collect();
        versions.insert("v1".into());
        if self.expect.about_patch() {
            versions.insert("v2".into());
        }
        for step in &self.steps {
            match step {
                Step::ApplyFails { patch, .. } if patch == "v2" => drop(versions.insert("v2".into())),
                Step::RunTool(shell) if shell.contains("$V2") || shell.contains("$PATCH") => {
                    versions.insert("v2".into());
                }
                _ => {}
            }
        }
        versions
    }
}
