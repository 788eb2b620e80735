//! The JSON object of a unit record.

use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::instrument::points::Point;
use crate::options::{self, Options};
use crate::waits::{LoopBody, Nowhere, Place, Waited};

/// See [`dsu_abi::unit::UnitRecord::metadata`].
#[derive(Debug, Serialize)]
pub(super) struct Metadata {
    pub(super) name: String,
    directory: String,
    producer: String,
    dispatch: &'static str,
    flags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stamps: Vec<String>,
    skipped: Vec<Skipped>,
    points: Vec<Point>,
    waits: Vec<Place>,
    loops: Vec<LoopBody>,
    nowhere: Vec<Nowhere>,
}

#[derive(Debug, Serialize)]
struct Skipped {
    function: String,
    reason: String,
}

pub(super) fn of(waited: &Waited<'_>, points: &[Point], options: &Options) -> Metadata {
    let survey = &waited.survey;
    let source = survey.module.source_file_name();
    let directory = options.directory.clone().or_else(|| std::env::current_dir().ok()).unwrap_or_default();
    let skipped = survey.skipped.iter();
    Metadata {
        name: relative(Path::new(&source), &directory),
        directory: directory.to_string_lossy().into_owned(),
        producer: survey.module.producer().unwrap_or_default(),
        dispatch: options::name(options.dispatch),
        flags: options.flags.clone(),
        stamps: super::clock::stamps(survey.module),
        skipped: skipped.map(|s| Skipped { function: s.function.name(), reason: s.reason.to_string() }).collect(),
        points: points.to_vec(),
        waits: waited.places.clone(),
        loops: waited.loops.clone(),
        nowhere: waited.nowhere.clone(),
    }
}

/// `source` as seen from `directory`, so that two trees built in different places pair up.
fn relative(source: &Path, directory: &Path) -> String {
    let source = without_dots(source);
    source.strip_prefix(without_dots(directory)).unwrap_or(&source).to_string_lossy().into_owned()
}

/// Without `.` components and doubled separators. `..` stays: what it means depends on symbolic links.
fn without_dots(path: &Path) -> PathBuf {
    path.components().filter(|component| *component != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_depend_on_how_the_path_was_typed() {
        for typed in ["src/a.c", "./src/a.c", "src//./a.c", "/build/x/src/a.c", "/build/x/./src/a.c"] {
            assert_eq!(relative(Path::new(typed), Path::new("/build/x/")), "src/a.c", "{typed}");
        }
        assert_eq!(relative(Path::new("../a.c"), Path::new("/build")), "../a.c");
        assert_eq!(relative(Path::new("/elsewhere/a.c"), Path::new("/build")), "/elsewhere/a.c");
        assert_eq!(relative(Path::new("<stdin>"), Path::new("/build")), "<stdin>");
    }
}
