//! The answers of fresh, plain builds. A plain process of each version is told every line the live one was told,
//! from the first on; where that version had to answer, both must have said the same.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::build::{Flavour, Scene};
use crate::live::Live;
use crate::script::{BY_HAND, Exchange};

/// Builds the plain versions that [`check`] needs, at most.
///
/// # Errors
/// When the compiler fails.
pub fn build(scene: &Scene<'_>) -> Result<()> {
    scene.build_plain("v1")?;
    if scene.config.no_oracle.is_none() {
        for version in scene.config.updates() {
            scene.build_plain(version)?;
        }
    }
    Ok(())
}

/// Compares `exchanges` with plain v1, and with the plain builds of the versions it was updated to unless the case
/// says that state makes them differ.
///
/// # Errors
/// When an answer differs.
pub fn check(scene: &Scene<'_>, exchanges: &[Exchange]) -> Result<()> {
    let mut versions: Vec<&str> = exchanges.iter().map(|e| &*e.version).collect();
    versions.sort_unstable();
    versions.dedup();
    for version in versions {
        if version == BY_HAND {
            continue;
        }
        if version == "v1" || scene.config.no_oracle.is_none() {
            compare(scene, version, exchanges).with_context(|| format!("compared with a fresh, plain {version}"))?;
        }
    }
    Ok(())
}

fn compare(scene: &Scene<'_>, version: &str, exchanges: &[Exchange]) -> Result<()> {
    // After an update whose answers are not comparable, neither is what the old version says with that state.
    let until_update = || exchanges.iter().position(|e| e.version != "v1").unwrap_or(exchanges.len());
    let length = if scene.config.no_oracle.is_some() { until_update() } else { exchanges.len() };
    let mut command = Command::new(scene.program(Flavour::Plain, version));
    command.args(&scene.config.args).current_dir(scene.dir(Flavour::Plain, version));
    command.envs(scene.config.env.iter().map(|(name, value)| (name, value)));
    scene.transcript.note(crate::process::shell_line(&command));
    let mut live = Live::start(&mut command, &scene.root.join("stderr-plain.txt"))?;
    for exchange in &exchanges[..length] {
        let reply = live.send(&exchange.line)?;
        ensure!(
            exchange.version != version || reply == exchange.reply,
            "to `{}` it answers {reply:?}, the instrumented process {:?}",
            exchange.line,
            exchange.reply
        );
    }
    let end = live.finish()?;
    ensure!(end.code == scene.config.exit, "exit code {}, expected {}", end.code, scene.config.exit);
    Ok(())
}
