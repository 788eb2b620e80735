//! The JSON object of a unit record.

use std::path::Path;

use serde::Serialize;

use super::place::relative;
use crate::markers::Point;
use crate::options::{self, Options};
use crate::waits::{LoopBody, Nowhere, Place, Waited};

/// See [`dsu_abi::unit::UnitRecord::metadata`].
#[derive(Debug, Serialize)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) directory: String,
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
