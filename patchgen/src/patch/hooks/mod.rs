//! Hooks: a source file of the release engineer's, with functions that the runtime calls around an update, and
//! transformers that give existing variables their new value.
//!
//! The file becomes one more unit of the new build, so its code is patch code like any other: it reaches functions
//! and variables of the running process, and brings along what only the new build has.

mod compile;
mod glue;

use std::path::PathBuf;

use crate::build::Build;
use crate::compare::diff::Change;
use crate::compare::resolve::{BaseKind, BaseSymbol, Definition, Resolver};
use crate::ir::header::is_weak;
use crate::ir::lex::unescape;
use crate::ir::{Function, Module};
use crate::problem::{Problem, Reason, Result};

pub use compile::compile;
pub use glue::piece;

/// What a transformer's name begins with; the variable's follows.
const TRANSFORM: &str = "dsu_transform_";

/// What was asked for on the command line.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The C file.
    pub file: PathBuf,
    /// Further arguments of its compilation.
    pub flags: Vec<String>,
}

/// When the runtime calls a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before anything is switched.
    PreApply,
    /// When the last thread has moved.
    PostApply,
    /// Before a revert.
    PreRevert,
    /// When the last thread is back.
    PostRevert,
}

impl Moment {
    /// All of them.
    pub const ALL: [Moment; 4] = [Moment::PreApply, Moment::PostApply, Moment::PreRevert, Moment::PostRevert];

    /// Name of the function.
    pub fn function(self) -> &'static str {
        match self {
            Moment::PreApply => "dsu_pre_apply",
            Moment::PostApply => "dsu_post_apply",
            Moment::PreRevert => "dsu_pre_revert",
            Moment::PostRevert => "dsu_post_revert",
        }
    }

    /// Symbol of the function that the runtime calls, which calls the author's.
    pub fn symbol(self) -> String {
        format!("{}.hook", self.function())
    }

    /// Must it answer whether the change may go on?
    fn answers(self) -> bool {
        matches!(self, Moment::PreApply | Moment::PreRevert)
    }

    fn words(self) -> &'static str {
        match self {
            Moment::PreApply => "hook: runs before anything is switched, and may veto",
            Moment::PostApply => "hook: runs when every thread has moved",
            Moment::PreRevert => "hook: runs before a revert, and may veto",
            Moment::PostRevert => "hook: runs when every thread is back",
        }
    }
}

/// A function of the hooks file that patchgen itself refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Which one.
    pub(crate) definition: Definition,
    /// Returns nothing, rather than an `int`.
    pub(crate) silent: bool,
}

/// A hooks file, checked and part of the new build.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    /// Its number in the new build.
    unit: Option<usize>,
    hooks: Vec<(Moment, Entry)>,
    /// Name behind the prefix, and the function.
    transformers: Vec<(String, Entry)>,
}

/// What the transformers of a patch are called for: each with the variable it changes.
#[derive(Debug, Clone, Default)]
pub struct Transformed {
    pub(crate) list: Vec<(Definition, BaseSymbol)>,
}

fn bad(subject: &str, message: impl Into<String>) -> Problem {
    Problem::new(Reason::BadHooks, subject, message)
}

impl Hooks {
    /// Checks what a compiled hooks file defines. `unit` is its number in the new build.
    pub(crate) fn check(module: &Module<'_>, name: &str, unit: usize, builds: &[&Build]) -> Result<Self> {
        let mut out = Hooks { unit: Some(unit), ..Hooks::default() };
        for function in module.functions.iter().filter(|f| crate::ir::is_defined(f)) {
            let own = unescape(function.name);
            // Weak: what dsu.h brings along.
            if own.starts_with("dsu_") && !is_weak(function.linkage) {
                out.own(function, &own, unit)?;
            } else {
                is_new(&own, function.linkage, builds)?;
            }
        }
        for global in module.globals.iter().filter(|g| g.initialiser.is_some() && !g.name.starts_with("llvm.")) {
            is_new(&unescape(global.name), global.linkage, builds)?;
        }
        if out.hooks.is_empty() && out.transformers.is_empty() {
            let known = Moment::ALL.map(Moment::function).join("`, `");
            return Err(bad(name, format!("defines neither a transformer nor one of `{known}`")));
        }
        Ok(out)
    }

    fn own(&mut self, function: &Function<'_>, name: &str, unit: usize) -> Result<()> {
        let signature = crate::compare::fingerprint::signature::signature(function);
        let silent = signature.starts_with("void ");
        let entry = Entry { definition: (unit, function.name.to_owned()), silent };
        if function.linkage == "internal" {
            return Err(bad(name, "is `static`, so nothing could call it"));
        }
        if let Some(variable) = name.strip_prefix(TRANSFORM) {
            if signature != "void (ptr, ptr)" {
                return Err(bad(name, format!("must be `void {name}(const void *old, void *new)`")));
            }
            self.transformers.push((variable.to_owned(), entry));
            return Ok(());
        }
        let Some(moment) = Moment::ALL.into_iter().find(|m| m.function() == name) else {
            let known = Moment::ALL.map(Moment::function).join("`, `");
            return Err(bad(name, format!("is no hook; there are `{known}` and `{TRANSFORM}VARIABLE`")));
        };
        if signature != "i32 ()" && (moment.answers() || signature != "void ()") {
            return Err(bad(name, format!("must be `int {name}(void)`")));
        }
        self.hooks.push((moment, entry));
        Ok(())
    }

    /// Is something of the hooks file, which is no difference between the builds?
    pub(crate) fn hold(&self, change: &Change) -> bool {
        self.unit.is_some() && change.pair.new == self.unit
    }

    /// The functions that the patch needs because of the hooks, each with its reason.
    pub(crate) fn roots(&self) -> impl Iterator<Item = (Definition, String)> {
        let hooks = self.hooks.iter().map(|(moment, entry)| (entry.definition.clone(), moment.words().to_owned()));
        let transformer = |(variable, entry): &(String, Entry)| {
            (entry.definition.clone(), format!("hook: gives `{variable}` its value when every thread has moved"))
        };
        hooks.chain(self.transformers.iter().map(transformer))
    }

    /// Matches the transformers with the variables that would have to start with another value. What they take
    /// care of is no problem any more.
    pub fn transform(
        &self,
        resolver: &Resolver<'_, '_>,
        changes: &[Change],
        problems: &mut Vec<Problem>,
    ) -> Result<Transformed> {
        let mut out = Transformed::default();
        for (variable, entry) in &self.transformers {
            let is_meant = |name: &str| identifier(name) == *variable;
            let about = |p: &&Problem| p.reason == Reason::DataChanged && p.is_kept() && is_meant(&p.subject);
            let function = unescape(&entry.definition.1);
            if !problems.iter().any(|p| about(&p)) {
                let known = problems.iter().filter(|p| p.reason == Reason::DataChanged && p.is_kept());
                let known: Vec<_> = known.map(|p| format!("`{}`", p.subject)).collect();
                let message = "belongs to no variable of which only the initial value changed";
                let there = if known.is_empty() { String::new() } else { format!("; there is {}", known.join(", ")) };
                return Err(bad(&function, format!("{message}{there}")));
            }
            let meant: Vec<_> = changes.iter().filter(|c| !c.function && is_meant(&c.name)).collect();
            let [change] = meant[..] else {
                return Err(bad(&function, format!("could mean any of {} changed variables", meant.len())));
            };
            let definition = change.pair.new.map(|unit| (unit, change.symbol.clone()));
            let base = definition.and_then(|d| resolver.base(&d)).filter(|b| b.kind == BaseKind::Data);
            let base = base.ok_or_else(|| bad(&function, "is for something that has no address in the process"))?;
            problems.retain(|p| !about(&p));
            out.list.push((entry.definition.clone(), base));
        }
        Ok(out)
    }

    /// The moments at which the runtime has something to call.
    pub fn moments(&self, transformed: &Transformed) -> Vec<Moment> {
        let mut out: Vec<_> = self.hooks.iter().map(|(moment, _)| *moment).collect();
        if !transformed.list.is_empty() && !out.contains(&Moment::PostApply) {
            out.push(Moment::PostApply);
        }
        out.sort_unstable();
        out
    }

    /// Is it one of the functions that the runtime calls?
    pub(crate) fn entry(&self, moment: Moment) -> Option<&Entry> {
        self.hooks.iter().find(|(m, _)| *m == moment).map(|(_, entry)| entry)
    }
}

/// A variable's name as part of a C identifier: a static local is `function.name` to the linker.
fn identifier(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// What a hooks file defines must not exist: it would be another thing of the same name.
fn is_new(name: &str, linkage: &str, builds: &[&Build]) -> Result<()> {
    if matches!(linkage, "internal" | "private") || is_weak(linkage) {
        return Ok(());
    }
    let global = |b: &Build| b.units.iter().any(|u| u.symbol(name).is_some_and(|s| s.is_global()));
    if builds.iter().any(|b| b.defined.contains_key(name) || global(b)) {
        return Err(bad(name, "is defined by the program, too; declare it `extern`, or make this one `static`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Hooks> {
        Hooks::check(&Module::parse(text).expect("valid"), "hooks.c", 0, &[])
    }

    #[test]
    fn hooks_and_transformers_are_found() {
        let found = check("define i32 @dsu_pre_apply() {\n}\ndefine void @dsu_transform_x(ptr %0, ptr %1) {\n}\n");
        let found = found.expect("both are right");
        assert_eq!(found.moments(&Transformed::default()), [Moment::PreApply]);
        assert_eq!(found.roots().count(), 2);
    }

    #[test]
    fn what_the_runtime_could_not_call_is_refused() {
        for (text, words) in [
            ("define i32 @dsu_before() {\n}\n", "is no hook"),
            ("define void @dsu_pre_apply() {\n}\n", "must be `int dsu_pre_apply(void)`"),
            ("define i32 @dsu_post_apply(i32 %0) {\n}\n", "must be `int dsu_post_apply(void)`"),
            ("define void @dsu_transform_x(ptr %0) {\n}\n", "const void *old"),
            ("define internal i32 @dsu_post_apply() {\n}\n", "static"),
            ("define i32 @other() {\n}\n", "neither"),
        ] {
            let message = check(text).expect_err(text).to_string();
            assert!(message.contains(words), "{message}");
        }
    }
}
