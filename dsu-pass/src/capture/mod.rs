//! The record a program carries: the module as it was before instrumentation (second step), and the tables that
//! say where the linker put what it defines (last step).

mod clock;
mod metadata;
mod place;

use std::path::Path;

use dsu_abi::unit::UnitRecord;

use crate::llvm::Value;
use crate::markers;
use crate::options::Options;
use crate::survey::Survey;
use crate::waits::Waited;

/// zstd's default: the next levels cost more compile time than they save.
const COMPRESSION_LEVEL: i32 = 3;

/// A surveyed module whose past is in safe keeping.
#[derive(Debug)]
pub struct Captured<'m> {
    pub(crate) survey: Survey<'m>,
    /// See [`UnitRecord::id`].
    pub unit_id: u64,
    /// The record of `.debug.dsu_bc`.
    pub(crate) unit_record: Vec<u8>,
    /// Quiescence points in the module.
    pub points: usize,
}

/// A record that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// zstd failed.
    #[error("failed to compress the bitcode of `{0}`: {1}; compile with `DSU_DISABLE=1` to go without")]
    Compress(String, std::io::Error),
}

/// Stores the module as it is now.
pub fn capture<'m>(waited: Waited<'m>, options: &Options) -> Result<Captured<'m>, CaptureError> {
    let points = markers::points(waited.survey.module);
    let metadata = metadata::of(&waited, &points, options);
    let survey = waited.survey;
    // Without the place it was compiled in: a unit that did not change is the same in another working copy.
    let seen = |path: &str| place::seen_from(Path::new(&metadata.directory), Path::new(path));
    let source = survey.module.source_file_name();
    let name = seen(&source).unwrap_or(source);
    let bitcode = survey.module.to_bitcode_elsewhere(&name, seen);
    let unit_id = first_word(blake3::Hasher::new().update(name.as_bytes()).update(&[0]).update(&bitcode));
    let compressed = zstd::bulk::compress(&bitcode, COMPRESSION_LEVEL)
        .map_err(|error| CaptureError::Compress(metadata.name.clone(), error))?;
    let text = serde_json::to_string(&metadata).expect("text and numbers always become JSON");
    let record = UnitRecord { id: unit_id, metadata: &text, bitcode: &compressed, bitcode_size: bitcode.len() as u64 };
    let unit_record = record.to_bytes();
    Ok(Captured { survey, unit_id, unit_record, points: points.len() })
}

/// Id of a function of a unit: see [`dsu_abi::symbols::function_id_input`].
pub fn function_id(unit_id: u64, function: Value<'_>) -> u64 {
    let input = dsu_abi::symbols::function_id_input(unit_id, &function.name());
    first_word(blake3::Hasher::new().update(&input))
}

fn first_word(hasher: &blake3::Hasher) -> u64 {
    let hash = hasher.finalize();
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a BLAKE3 hash has 32 bytes"))
}
