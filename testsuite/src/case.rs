//! Finds the cases and resolves their configs. A directive nobody knows, one that has no effect, and a config that
//! expects nothing are failures: such a test would pass for ever without testing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::config::{Config, Step};
use crate::directive::{self, Directive};
use crate::edits;

/// A folder with `v1.c`.
#[derive(Debug, Clone)]
pub struct Case {
    /// `group/case`.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// Its configs, all complete.
    pub configs: Vec<Config>,
}

/// A directive as it stands in the source.
struct Stated {
    directive: &'static Directive,
    value: String,
    line: usize,
}

/// The folder of all cases.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// Every case folder below `root`, in order, parsed or with the error that its test will report.
///
/// # Errors
/// When the folders cannot be read.
pub fn discover(root: &Path) -> Result<Vec<(String, Result<Case>)>> {
    let mut found = Vec::new();
    for group in folders(root)? {
        for dir in folders(&group)? {
            let name: PathBuf = dir.strip_prefix(root).expect("found below it").into();
            let name = name.to_string_lossy().into_owned();
            if dir.ends_with("include") || group.ends_with("include") {
                continue;
            }
            found.push((name.clone(), load(&name, &dir)));
        }
    }
    Ok(found)
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("failed to list `{}`", dir.display()))?;
    let mut found: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

fn load(name: &str, dir: &Path) -> Result<Case> {
    let source = source_of(dir, "v1").with_context(|| format!("`{}` has neither v1.c nor v1.cc", dir.display()))?;
    let text = std::fs::read_to_string(&source).with_context(|| format!("failed to read `{}`", source.display()))?;
    let configs = parse(&text).with_context(|| format!("in `{}`", source.display()))?;
    let case = Case { name: name.into(), dir: dir.into(), configs };
    every_file_is_used(&case)?;
    Ok(case)
}

/// `vN.c` or `vN.cc` in `dir`.
pub fn source_of(dir: &Path, version: &str) -> Option<PathBuf> {
    ["c", "cc"].iter().map(|ext| dir.join(format!("{version}.{ext}"))).find(|path| path.exists())
}

/// Parses the directives of a source into complete configs.
///
/// # Errors
/// See the module's description.
pub fn parse(text: &str) -> Result<Vec<Config>> {
    let mut common = Vec::new();
    let mut sections: Vec<(String, Option<String>, Vec<Stated>)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(body) = line.strip_prefix("//#").filter(|_| !edits::is_edit(line)) else { continue };
        let line = index + 1;
        let (name, value) = body.split_once(':').unwrap_or((body, ""));
        if name == directive::CONFIG {
            let (config, parent) = value.split_once(':').map_or((value, None), |(c, p)| (c, Some(p.into())));
            if sections.iter().any(|section| section.0 == config) {
                bail!("line {line}: config `{config}` is there twice");
            }
            sections.push((config.into(), parent, Vec::new()));
            continue;
        }
        let directive = directive::find(name).with_context(|| format!("line {line}"))?;
        let own = sections.last_mut().map_or(&mut common, |section| &mut section.2);
        if !directive.kind.repeats() && own.iter().any(|s: &Stated| s.directive.name == name) {
            bail!("line {line}: `{name}` is there twice, the first has no effect");
        }
        own.push(Stated { directive, value: value.into(), line });
    }
    if sections.is_empty() {
        sections.push(("default".into(), None, Vec::new()));
    }
    resolve_all(&common, &sections)
}

fn resolve_all(common: &[Stated], sections: &[(String, Option<String>, Vec<Stated>)]) -> Result<Vec<Config>> {
    let mut used = BTreeSet::new();
    let mut configs = Vec::new();
    for (name, ..) in sections {
        let stated = chain(name, common, sections)?;
        used.extend(stated.iter().map(|s| s.line));
        configs.push(config_of(name, &stated).with_context(|| format!("config `{name}`"))?);
    }
    if let Some(idle) = common.iter().find(|s| !used.contains(&s.line)) {
        bail!("line {}: `{}` has no effect, every config replaces it", idle.line, idle.directive.name);
    }
    Ok(configs)
}

/// The directives that hold for config `name`: the parent's that are not replaced, then its own.
fn chain<'a>(
    name: &str,
    common: &'a [Stated],
    sections: &'a [(String, Option<String>, Vec<Stated>)],
) -> Result<Vec<&'a Stated>> {
    let at = sections.iter().position(|section| section.0 == name).expect("asked for by name");
    let (_, parent, own) = &sections[at];
    let inherited = match parent {
        None => common.iter().collect(),
        Some(parent) if sections[..at].iter().any(|section| section.0 == *parent) => chain(parent, common, sections)?,
        Some(parent) => bail!("config `{name}` inherits from `{parent}`, which is not above it"),
    };
    let replaced = |old: &&Stated| {
        own.iter().any(|new| {
            new.directive.name == old.directive.name || new.directive.kind.is_script() && old.directive.kind.is_script()
        })
    };
    Ok(inherited.into_iter().filter(|old| !replaced(old)).chain(own).collect())
}

fn config_of(name: &str, stated: &[&Stated]) -> Result<Config> {
    let mut config = Config::new(name);
    for s in stated {
        s.directive.apply(&s.value, &mut config).with_context(|| format!("line {}", s.line))?;
    }
    if !stated.iter().any(|s| s.directive.kind.proves()) {
        bail!("no `Expect`: a case that expects nothing tests nothing");
    }
    let has = |kind: fn(&Step) -> bool| config.steps.iter().any(kind);
    if config.expect.refuses() && has(|step| matches!(step, Step::Update { .. })) {
        bail!("`ExpectRefused` and `Update`: a refused patch cannot be applied");
    }
    if has(|step| matches!(step, Step::Revert(_))) && !has(|step| matches!(step, Step::Update { .. })) {
        bail!("`Revert` without an `Update` before it");
    }
    Ok(config)
}

/// Every file beside `v1.c` is a version, a header, or named by a directive of some config.
fn every_file_is_used(case: &Case) -> Result<()> {
    let versions: BTreeSet<String> = case.configs.iter().flat_map(Config::versions).collect();
    for version in &versions {
        let is_there = source_of(&case.dir, version).is_some() || has_variant(&case.dir, version)?;
        if !is_there && !edited(&case.dir)?.iter().any(|(_, made)| made == version) {
            bail!("a directive needs `{version}.c` or edits `//#{version}`, which are not there");
        }
    }
    for (file, version) in edited(&case.dir)? {
        if !versions.contains(&version) {
            bail!("`{file}` has edits for {version}, which no directive needs");
        }
        let whole = files(&case.dir)?.into_iter().find(|other| is_whole(other, &file, &version));
        if let Some(whole) = whole {
            bail!("`{file}` has edits for {version}, which `{whole}` is instead");
        }
    }
    for file in files(&case.dir)? {
        let (stem, ext) = file.split_once('.').unwrap_or((&file, ""));
        let is_version = versions.contains(stem) && matches!(ext, "c" | "cc");
        let base = variant_of(&file).map_or(file.clone(), |(base, _)| base);
        let named = |config: &Config| {
            let lists = config.units.iter().chain(&config.dsu_args).chain(&config.comp_args).chain(&config.link_args);
            lists.chain(&config.build).any(|text| text.contains(&base))
                || config.libs.iter().any(|lib| base == format!("{lib}.c"))
                || config.steps.iter().any(|step| matches!(step, Step::RunTool(shell) if shell.contains(&base)))
        };
        if !is_version && !base.ends_with(".h") && !case.configs.iter().any(named) {
            bail!("file `{file}` is used by no directive");
        }
    }
    Ok(())
}

/// Names of the files in `dir`, in order.
pub(crate) fn files(dir: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("failed to list `{}`", dir.display()))?;
    let mut names: Vec<_> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn has_variant(dir: &Path, version: &str) -> Result<bool> {
    Ok(files(dir)?.iter().any(|file| variant_of(file).is_some_and(|(_, v)| v == version)))
}

/// Files with edits, and a version that these make.
fn edited(dir: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for file in files(dir)? {
        // What is no text has no edits.
        let Ok(text) = std::fs::read_to_string(dir.join(&file)) else { continue };
        let versions = edits::versions(&text).with_context(|| format!("in `{file}`"))?;
        found.extend(versions.into_iter().map(|version| (file.clone(), version)));
    }
    Ok(found)
}

/// Whether `other` is the whole of `file` as it is in `version`.
fn is_whole(other: &str, file: &str, version: &str) -> bool {
    let of_main = file.strip_prefix("v1.").is_some_and(|ext| other == format!("{version}.{ext}"));
    of_main || variant_of(other).is_some_and(|(base, of)| base == file && of == version)
}

/// `helper.v2.c` is the `helper.c` of v2: (`helper.c`, `v2`).
pub(crate) fn variant_of(file: &str) -> Option<(String, String)> {
    let mut parts = file.split('.');
    let (stem, version, ext) = (parts.next()?, parts.next()?, parts.next()?);
    let number = version.strip_prefix('v')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
        .then(|| (format!("{stem}.{ext}"), version.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        format!("{:#}", parse(text).expect_err("must be refused"))
    }

    #[test]
    fn a_config_inherits_what_it_does_not_replace() {
        let text = "//#CompArgs:-O2\n//#Config:a\n//#Send:x\n//#Expect:1\n//#Config:b:a\n//#CompArgs:-O0 -g\n";
        let configs = parse(text).expect("well-formed");
        assert_eq!(configs[0].comp_args, ["-O2"]);
        assert_eq!(configs[1].comp_args, ["-O0", "-g"]);
        assert_eq!(configs[1].steps.len(), 2);
    }

    #[test]
    fn a_script_of_its_own_replaces_the_whole_inherited_one() {
        let text = "//#Config:a\n//#Send:x\n//#Expect:1\n//#Config:b:a\n//#Send:y\n//#Expect:2\n";
        let configs = parse(text).expect("well-formed");
        assert!(matches!(&configs[1].steps[..], [Step::Send(y), Step::Expect(two)] if y == "y" && two == "2"));
    }

    #[test]
    fn what_would_test_nothing_is_refused() {
        assert!(error("//#Frobnicate:1\n").contains("unknown directive `Frobnicate`"));
        assert!(error("//#CompArgs:-O2\n").contains("expects nothing"));
        assert!(error("//#Send:x\n//#CompArgs:-O1\n//#CompArgs:-O2\n").contains("twice"));
        assert!(error("//#Expect:1\n").contains("no `Send` before it"));
        assert!(error("//#RunTool:x\n//#Send:y\n//#ToolExit:1\n").contains("no `RunTool` right before it"));
        assert!(error("//#ExpectNoChange\n//#Config:a:b\n").contains("inherits from `b`"));
        assert!(error("//#Args:1\n//#Config:a\n//#Args:2\n//#ExpectNoChange\n").contains("has no effect"));
        assert!(error("//#Send:x\n//#Expect:1\n//#Revert\n").contains("without an `Update`"));
    }

    #[test]
    fn a_variant_belongs_to_its_version() {
        assert_eq!(variant_of("helper.v2.c"), Some(("helper.c".into(), "v2".into())));
        assert_eq!(variant_of("helper.c"), None);
        assert_eq!(variant_of("v2.c"), None);
    }
}
