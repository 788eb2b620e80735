//! Rules about the two builds as a whole, before anything is compared.

use crate::input::Build;
use crate::problem::{Problem, Reason, Result};
use crate::program::Pair;

/// Are the two builds of one program, made the same way?
pub fn check_builds(old: &Build, new: &Build, pairs: &[Pair]) -> Result<()> {
    if old.machine != new.machine {
        let message = format!("is for machine {}, the base for {}", new.machine, old.machine);
        return Err(Problem::new(Reason::DifferentMachine, &new.name, message));
    }
    if old.is_library() != new.is_library() {
        let kind = |b: &Build| if b.is_library() { "a library" } else { "an executable" };
        let message = format!("is {}, the base is {}", kind(new), kind(old));
        return Err(Problem::new(Reason::OtherProgram, &new.name, message));
    }
    if !pairs.iter().any(|p| p.old.is_some() && p.new.is_some()) {
        let message = format!("shares no source file with the base `{}`", old.name);
        return Err(Problem::new(Reason::OtherProgram, &new.name, message));
    }
    for pair in pairs {
        if let (Some(o), Some(n)) = (pair.old, pair.new) {
            let (o, n) = (&old.units[o], &new.units[n]);
            if o.producer != n.producer {
                let message = format!("was compiled by `{}`, in the base by `{}`", n.producer, o.producer);
                return Err(Problem::new(Reason::DifferentFlags, &n.name, message));
            }
            let (before, after) = (for_code(&o.flags), for_code(&n.flags));
            if before != after {
                let gone = before.iter().find(|f| !after.contains(f));
                let come = after.iter().find(|f| !before.contains(f));
                let message = match (gone, come) {
                    (Some(gone), Some(come)) => format!("was compiled with `{come}`, in the base with `{gone}`"),
                    (Some(gone), None) => format!("was compiled without `{gone}`, in the base with it"),
                    (None, Some(come)) => format!("was compiled with `{come}`, in the base without it"),
                    (None, None) => String::from("was compiled with the same flags in another order"),
                };
                return Err(Problem::new(Reason::DifferentFlags, &n.name, message));
            }
        }
    }
    Ok(())
}

/// Flags that reach the code generator. What a macro or an include path does shows in the code itself.
fn for_code(flags: &[String]) -> Vec<&str> {
    let source = ["-D", "-U", "-I", "-i", "-W", "-w"];
    let prefix_map = |f: &str| f.contains("-prefix-map=") || f.starts_with("-fdebug-compilation-dir");
    flags.iter().map(String::as_str).filter(|f| !source.iter().any(|s| f.starts_with(s)) && !prefix_map(f)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_and_paths_are_no_code_flags() {
        let flags = ["-O2", "-DX=1", "-I.", "-Wall", "-ffile-prefix-map=/a=.", "-fPIC"].map(String::from);
        assert_eq!(for_code(&flags), ["-O2", "-fPIC"]);
    }
}
