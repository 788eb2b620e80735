//! `.dsubase`: a build without the program around it. Magic, version (u32), zstd frame of a postcard-encoded
//! [`Build`].

use super::Build;
use crate::problem::{Problem, Reason, Result};

const MAGIC: &[u8; 8] = b"DSUBASE\0";
const VERSION: u32 = 3;
/// The bitcode inside is compressed already; a low level is enough for the rest.
const LEVEL: i32 = 3;

pub(super) fn is_container(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

pub(super) fn write(build: &Build) -> Result<Vec<u8>> {
    let internal = |e: String| Problem::new(Reason::Internal, &build.name, format!("base cannot be encoded: {e}"));
    let plain = postcard::to_stdvec(build).map_err(|e| internal(e.to_string()))?;
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend(zstd::bulk::compress(&plain, LEVEL).map_err(|e| internal(e.to_string()))?);
    Ok(out)
}

pub(super) fn read(bytes: &[u8], shown: &str) -> Result<Build> {
    let damaged = |what: &str| Problem::new(Reason::Damaged, shown, format!("is not a complete base: {what}"));
    let rest = bytes.get(MAGIC.len()..).unwrap_or_default();
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it ends in its header"))?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        let message = format!("is a base of format version {version}, this patchgen reads {VERSION}");
        return Err(Problem::new(Reason::UnknownVersion, shown, message));
    }
    let plain = zstd::stream::decode_all(rest).map_err(|e| damaged(&e.to_string()))?;
    postcard::from_bytes(&plain).map_err(|e| damaged(&e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::ModuleKind;

    fn build() -> Build {
        Build {
            name: "kvd".into(),
            kind: ModuleKind::Pie,
            build_id: vec![1; 20],
            machine: 62,
            soname: None,
            needed: vec!["libc.so.6".into()],
            run_path: Vec::new(),
            origin: Default::default(),
            tls: false,
            defined: Default::default(),
            exported: Vec::new(),
            names: Default::default(),
            imported: Default::default(),
            units: Vec::new(),
            entries: Default::default(),
            sizes: Default::default(),
            split: Default::default(),
            image: Default::default(),
        }
    }

    #[test]
    fn a_base_comes_back_as_written() {
        let bytes = write(&build()).expect("encodes");
        assert!(is_container(&bytes));
        assert_eq!(read(&bytes, "x").expect("just written"), build());
    }

    #[test]
    fn every_cut_is_refused() {
        let bytes = write(&build()).expect("encodes");
        for len in 8..bytes.len() {
            assert_eq!(read(&bytes[..len], "x").expect_err("cut").reason, Reason::Damaged, "{len} bytes");
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = write(&build()).expect("encodes");
        bytes[8] = 9;
        assert_eq!(read(&bytes, "x").expect_err("version 9").reason, Reason::UnknownVersion);
    }
}
