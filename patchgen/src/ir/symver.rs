//! `.symver` directives of a unit: which version of a symbol a name of the unit stands for.

use super::Module;

/// A name of the unit, and what it stands for: `realpath@GLIBC_2.2.5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symver<'a> {
    /// As the unit's code says it.
    pub name: &'a str,
    /// The symbol and its version.
    pub versioned: &'a str,
}

impl<'a> Symver<'a> {
    /// The symbol without its version.
    pub fn symbol(&self) -> &'a str {
        without_version(self.versioned)
    }
}

/// A symbol's name without the version behind it, and without the mark of a name that LLVM takes as it is.
pub fn without_version(name: &str) -> &str {
    let name = name.trim_start_matches('\u{1}');
    name.split_once('@').map_or(name, |(symbol, _)| if symbol.is_empty() { name } else { symbol })
}

impl<'a> Module<'a> {
    /// The directives in the module's assembly; the error is the line of one that is not understood.
    pub fn symvers(&self) -> Result<Vec<Symver<'a>>, &'a str> {
        let mut out = Vec::new();
        for line in self.asm.iter().filter(|line| line.contains("symver")) {
            let text = line.strip_prefix("module asm \"").and_then(|l| l.strip_suffix('"')).ok_or(*line)?;
            for statement in text.split(';').map(|s| s.trim_matches([' ', '\t']).trim_end_matches("\\09")) {
                let statement = statement.trim_start_matches("\\09").trim();
                let Some(operands) = statement.strip_prefix(".symver") else {
                    if statement.contains("symver") {
                        return Err(line);
                    }
                    continue;
                };
                let operands = operands.trim_start_matches("\\09");
                let mut parts = operands.split(',').map(|p| p.trim().trim_matches(|c| c == '"'));
                let (Some(name), Some(versioned)) = (parts.next(), parts.next()) else { return Err(line) };
                if name.is_empty() || !versioned.contains('@') || name.contains('\\') || versioned.contains('\\') {
                    return Err(line);
                }
                out.push(Symver { name, versioned });
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Vec<(String, String)>, String> {
        let text = format!("module asm \"{line}\"\n");
        let module = Module::parse(&text).expect("valid");
        let list = module.symvers().map_err(str::to_owned)?;
        Ok(list.into_iter().map(|s| (s.name.to_owned(), s.versioned.to_owned())).collect())
    }

    #[test]
    fn directives_are_found_in_whatever_form() {
        let one = Ok(vec![("realpath".to_owned(), "realpath@GLIBC_2.2.5".to_owned())]);
        assert_eq!(of(".symver realpath,realpath@GLIBC_2.2.5"), one);
        assert_eq!(of("\\09.symver\\09realpath, realpath@GLIBC_2.2.5"), one);
        assert_eq!(of(".symver realpath, realpath@GLIBC_2.2.5, remove"), one);
        assert_eq!(of(".symver a,b@V1; .symver c,d@@V2").map(|l| l.len()), Ok(2));
        assert_eq!(of(".globl x"), Ok(Vec::new()));
        assert!(of(".macro pin n; .symver \\\\n,\\\\n@V1").is_err());
    }

    #[test]
    fn a_version_is_no_part_of_the_name() {
        assert_eq!(without_version("\u{1}realpath@GLIBC_2.2.5"), "realpath");
        assert_eq!(without_version("realpath"), "realpath");
    }
}
