//! What a patch is made of, what is wanted of it, and what comes out.

use std::path::PathBuf;

use crate::build::Build;
use crate::build::pair::Pair;
use crate::check::consistency::Model;
use crate::compare::diff::LineRule;
use crate::patch::emit::Tools;
use crate::patch::hooks::{self, Hooks, Moment};
use crate::problem::Result;

/// Two builds, read.
#[derive(Debug)]
pub struct Builds {
    /// The base.
    pub old: Build,
    /// The build to become.
    pub new: Build,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) hooks: Hooks,
    /// Which operands are taken for line numbers.
    pub lines: LineRule,
    /// Where the sources of both are, should those of the base not be where it was compiled.
    pub trees: Option<(PathBuf, PathBuf)>,
}

impl Builds {
    /// Makes a hooks file part of the new build.
    pub fn with_hooks(mut self, source: Option<&hooks::Source>) -> Result<Self> {
        if let Some(source) = source {
            self.pairs.push(Pair { old: None, new: Some(self.new.units.len()), certain: true });
            self.hooks = hooks::compile(source, &self.old, &mut self.new)?;
        }
        Ok(self)
    }
}

/// A patch that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Order<'o> {
    /// Name shown to operators.
    pub name: &'o str,
    /// What compiles and links it.
    pub tools: &'o Tools,
    /// Consistency, where the default is not wanted.
    pub consistency: Option<Model>,
}

/// A finished patch object.
#[derive(Debug)]
pub struct Finished {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The manifest in it.
    pub manifest: String,
    /// What the runtime calls in it.
    pub hooks: Vec<Moment>,
}
