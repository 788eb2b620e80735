//! The patch file, checked before it is sent: with the runtime's own checks, so that the words are the same, and
//! nobody is disturbed for a file that is damaged.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use dsu_abi::file::{self, SIZE_MAX};
use dsu_abi::patch::MANIFEST_SECTION;
use dsu_abi::wire::Code;
use rustix::fs::MemfdFlags;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// A patch whose file is intact.
pub(crate) struct Patch {
    /// Its name.
    pub(crate) name: String,
    /// Build-id of the base it is for.
    pub(crate) build_id: Vec<u8>,
    /// Its checksum.
    pub(crate) checksum: [u8; 32],
    /// What people want to know of it; null if it has no manifest.
    pub(crate) manifest: Value,
    memory: File,
}

impl Patch {
    /// Reads and checks a patch file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |cause| Error::PatchUnreadable { path: path.to_owned(), cause };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(SIZE_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let described = check(&bytes).map_err(|(code, text)| {
            let message = format!("patch `{}`: {text}", path.display());
            Error::Refused { code, message }
        })?;
        let memory = in_memory(&bytes).map_err(unreadable)?;
        let Described { name, build_id, checksum, manifest } = described;
        Ok(Self { name, build_id, checksum, manifest, memory })
    }

    /// The very bytes that were checked, for sending.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut memory = File::from(rustix::fs::memfd_create("dsu-patch", MemfdFlags::CLOEXEC)?);
    memory.write_all(bytes)?;
    memory.rewind()?;
    Ok(memory)
}

/// What a patch file says of itself.
struct Described {
    name: String,
    build_id: Vec<u8>,
    checksum: [u8; 32],
    manifest: Value,
}

fn check(bytes: &[u8]) -> Result<Described, (Code, String)> {
    if bytes.len() as u64 > SIZE_MAX {
        return Err((Code::PatchDamaged, "larger than 256 MiB".into()));
    }
    let in_words = |(code, error): file::Refusal| (code, error.to_string());
    let opened = file::open(bytes).map_err(in_words)?;
    let mut hash = Sha256::new();
    for part in opened.hashed_parts() {
        hash.update(part);
    }
    if hash.finalize().as_slice() != opened.patch.checksum {
        return Err((Code::PatchDamaged, "checksum differs: damaged on its way; copy it again".into()));
    }
    opened.check_tables().map_err(in_words)?;
    let manifest = opened.elf.section(MANIFEST_SECTION).ok().flatten();
    let manifest = manifest.and_then(|section| serde_json::from_slice(section.bytes).ok());
    Ok(Described {
        name: opened.patch.name.to_owned(),
        build_id: opened.patch.base_build_id.to_owned(),
        checksum: opened.patch.checksum,
        manifest: manifest.unwrap_or(Value::Null),
    })
}
