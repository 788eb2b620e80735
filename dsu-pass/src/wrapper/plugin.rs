//! The words that load the pass plugin into clang and tell it about the unit.

use std::ffi::OsString;
use std::path::Path;

use super::invocation::{Debug, Invocation};
use super::settings::Settings;
use crate::options::Options;

/// The words. All go to cc1 alone: the driver would hand an `-mllvm` of its own to the assembler too, which does not
/// know the plugin's options, and a `-g` would describe the lines of assembly inputs.
pub(crate) fn words(plugin: &Path, invocation: &Invocation, settings: &Settings, directory: &Path) -> Vec<OsString> {
    let mut load = OsString::from("-fpass-plugin=");
    load.push(plugin);
    let options = format!("-dsu={}", options(invocation, settings, directory).to_argument());
    let mut cc1: Vec<OsString> = vec!["-load".into(), plugin.into(), load, "-mllvm".into(), options.into()];
    // The record always has types, scopes and lines; see `strip_debug` for the object.
    let debug: &[&str] = match invocation.debug {
        Debug::Full => &[],
        Debug::Partial => &["-debug-info-kind=constructor"],
        Debug::None => &["-debug-info-kind=constructor", "-dwarf-version=5"],
    };
    cc1.extend(debug.iter().map(OsString::from));
    cc1.into_iter().flat_map(|word| ["-Xclang".into(), word]).collect()
}

fn options(invocation: &Invocation, settings: &Settings, directory: &Path) -> Options {
    Options {
        dispatch: settings.dispatch,
        strip_debug: invocation.debug == Debug::None,
        verbose: settings.verbose,
        list: settings.list.clone(),
        points: settings.points.clone(),
        outline_loops: settings.outline_loops,
        log: settings.log.clone(),
        directory: Some(directory.to_path_buf()),
        flags: invocation.code_flags.clone(),
    }
}
