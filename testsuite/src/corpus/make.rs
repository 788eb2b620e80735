//! Steps of builds.
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::real::command::run;
use crate::real::compiler::Flavor;

/// Runs a step of a build in an unpacked tree.
pub(super) fn build_in(folder: &Path, command: &mut Command) -> Result<()> {
    Flavor::Armed.prepare(command.current_dir(folder));
    run(command, &[0]).with_context(|| format!("`{}` cannot be built", folder.display())).map(drop)
}
