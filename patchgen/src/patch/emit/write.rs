//! Files appear complete or not at all.

use std::io::Write;
use std::path::Path;

use crate::problem::{Problem, Reason, Result};
use crate::toolchain::Tool;

/// Writes a file by way of a temporary one beside it; `mode` is its permission bits.
pub fn atomically(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display().to_string();
    let failed =
        |e: &dyn std::fmt::Display| Problem::new(Reason::Unwritable, &shown, format!("cannot be written: {e}"));
    // A device or a pipe is written to, not replaced.
    if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return std::fs::write(path, bytes).map_err(|e| failed(&e));
    }
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(|e| failed(&e))?;
    file.write_all(bytes).map_err(|e| failed(&e))?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).map_err(|e| failed(&e))?;
    file.persist(path).map_err(|e| failed(&e.error))?;
    Ok(())
}

/// Takes the record sections out of a program, which keeps everything else, its build-id included.
pub fn without_record(app: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let shown = app.display().to_string();
    let failed = |e: std::io::Error| Problem::new(Reason::Unwritable, &shown, format!("cannot be stripped: {e}"));
    let mode = std::fs::metadata(app).map_err(failed)?.permissions().mode();
    let directory = tempfile::tempdir().map_err(failed)?;
    let stripped = directory.path().join("stripped");
    let tool = Tool::Objcopy.program();
    let sections = [dsu_abi::unit::SECTION, dsu_abi::symbols::SECTION];
    let arguments = sections.iter().map(|s| format!("--remove-section={s}"));
    super::tools::run(std::process::Command::new(tool).args(arguments).arg(app).arg(&stripped))?;
    atomically(app, &std::fs::read(&stripped).map_err(failed)?, mode & 0o7777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("missing").join("x");
        assert_eq!(atomically(&path, b"x", 0o644).expect_err("no directory").reason, Reason::Unwritable);
        atomically(&directory.path().join("x"), b"x", 0o644).expect("writable");
        assert_eq!(std::fs::read_dir(directory.path()).expect("readable").count(), 1);
    }
}
