//! Paths that do not tell where a working copy is.

use std::path::{Component, Path, PathBuf};

/// `source` as seen from `directory`, so that two trees built in different places pair up.
pub(super) fn relative(source: &Path, directory: &Path) -> String {
    let source = without_dots(source);
    source.strip_prefix(without_dots(directory)).unwrap_or(&source).to_string_lossy().into_owned()
}

/// An absolute `path` as seen from `directory`, through the nearest folder that both are in; `None` where that is the
/// root, as for the system's headers. Builds outside of the source tree see it as `../src`.
pub(super) fn seen_from(directory: &Path, path: &Path) -> Option<String> {
    let (directory, path) = (without_dots(directory), without_dots(path));
    let both: Vec<_> = directory.components().zip(path.components()).take_while(|(a, b)| a == b).collect();
    let is_plain = |path: &Path| path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
    if both.len() < 2 || !is_plain(&directory) || !is_plain(&path) {
        return None;
    }
    let up = directory.components().skip(both.len()).map(|_| Component::ParentDir);
    let seen: PathBuf = up.chain(path.components().skip(both.len())).collect();
    Some(seen.to_string_lossy().into_owned())
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

    #[test]
    fn a_place_is_seen_from_the_directory_if_they_have_one_in_common() {
        let seen = |path: &str| seen_from(Path::new("/mine/copy/build"), Path::new(path));
        assert_eq!(seen("/mine/copy/build").as_deref(), Some(""));
        assert_eq!(seen("/mine/copy/build/sub").as_deref(), Some("sub"));
        assert_eq!(seen("/mine/copy/./src/a.c").as_deref(), Some("../src/a.c"));
        for other in ["/usr/include", "src", "", "<stdin>", "/mine/copy/../x"] {
            assert_eq!(seen(other), None, "{other}");
        }
    }
}
