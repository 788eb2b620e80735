//! What the base tells about each function that a patch redirects: its stub, the bytes that arming overwrites, its
//! original-code trampoline, its extent, and whether it can be switched thread by thread.

use dsu_abi::patch::FUNCTION_STAYS;
use dsu_abi::stub::{self, Dispatch};

use crate::arch::x86_64::{R11_IS_FREE, Trampoline, read_stub, trampoline};
use crate::build::Build;
use crate::compare::callgraph::{Stay, stay};
use crate::compare::closure::{Role, UpdateSet};
use crate::compare::resolve::{BaseSymbol, Definition, Resolver};
use crate::ir::Function;
use crate::ir::lex::escape;
use crate::problem::{Problem, Reason, Result};

/// A function to redirect.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// Its new version.
    pub definition: Definition,
    /// Its old one.
    pub base: BaseSymbol,
    /// Slot in the base.
    pub slot: u64,
    /// Bytes before its entry.
    pub function_id: u64,
    /// How calls dispatch.
    pub dispatch: Dispatch,
    /// 0, or 4 behind endbr64.
    pub arm_offset: u8,
    /// What arming overwrites.
    pub entry_bytes: [u8; 2],
    /// Bytes of the old version.
    pub size: u32,
    /// Line of its definition; 0 when unknown.
    pub line: u32,
    /// [`FUNCTION_STAYS`].
    pub flags: u8,
    /// Threads wait in a loop of it: its frame keeps them from moving.
    pub holds_threads: bool,
    /// Its original-code trampoline, or why there can be none.
    pub trampoline: std::result::Result<Trampoline, &'static str>,
    /// Why threads cannot switch it one by one, beyond a missing trampoline.
    pub obstacle: Option<&'static str>,
}

impl Redirect {
    /// Why threads cannot switch it one by one.
    pub fn bound_to_newest(&self) -> Option<&'static str> {
        self.obstacle.or(self.trampoline.as_ref().err().copied())
    }

    /// Its version in the base: the name of its unit, and the function.
    pub fn old_version<'r, 'a>(&self, resolver: &'r Resolver<'_, 'a>) -> Option<(&'r str, &'r Function<'a>)> {
        let (function, _) = old_version(resolver, &self.definition, &self.base)?;
        let unit = resolver.old.build.units.iter().find(|unit| unit.name == self.base.unit)?;
        Some((&unit.name, function))
    }

    /// May a stub use `r11`?
    pub fn has_stub(&self) -> bool {
        self.obstacle != Some(USES_R11)
    }
}

const USES_R11: &str = "its calling convention leaves no register to a dispatch stub";

/// The redirected functions of an update set, in the order of the patch's table.
pub fn redirects(resolver: &Resolver<'_, '_>, set: &UpdateSet) -> Result<Vec<Redirect>> {
    let members = set.members.iter();
    let redirected = members.filter_map(|(definition, member)| match &member.role {
        Role::Redirect(base) => Some((definition, base)),
        Role::New => None,
    });
    redirected.map(|(definition, base)| redirect(resolver, definition, base)).collect()
}

/// What the base tells about one function.
pub fn redirect(resolver: &Resolver<'_, '_>, definition: &Definition, target: &BaseSymbol) -> Result<Redirect> {
    let build = resolver.old.build;
    let corrupt = |what: &str| Problem::new(Reason::BaseCorrupt, &target.name, what);
    let outside = || corrupt("its entry is outside the program text");
    let record = target.record.as_ref().ok_or_else(|| corrupt("has no record"))?;
    let around = build.entries.get(&target.value).ok_or_else(outside)?;
    let code = around.get(stub::PREFIX_SIZE as usize..).unwrap_or_default();
    let arm_offset = stub::arm_offset(code);
    let at = usize::from(arm_offset);
    let entry_bytes = code.get(at..at + 2).and_then(|b| b.try_into().ok()).ok_or_else(outside)?;
    let dispatch = record.dispatch();
    // Of several copies of a weak function one is in the program, with its own id and slot.
    let found = read_stub(target.value, dispatch, around);
    let (function_id, slot) = found.ok_or_else(|| corrupt("there is no stub at its entry"))?;
    let versions = [old_version(resolver, definition, target), new_version(resolver, definition)];
    let takes_r11 = versions.iter().flatten().any(|(f, _)| !leaves_r11(f));
    let obstacle = match () {
        () if takes_r11 => Some(USES_R11),
        () if build.split.contains(&target.name) => Some("the base has it in several pieces"),
        () => None,
    };
    let [old, _] = versions;
    let endless = old.as_ref().and_then(|(f, _)| stay(f));
    Ok(Redirect {
        definition: definition.clone(),
        base: target.clone(),
        slot,
        function_id,
        dispatch,
        arm_offset,
        entry_bytes,
        size: size(build, target.value),
        line: old.map_or(0, |(_, line)| line),
        flags: if endless.is_some_and(Stay::is_exempt) { FUNCTION_STAYS } else { 0 },
        holds_threads: endless == Some(Stay::Loop),
        trampoline: trampoline(target.value, dispatch, code),
        obstacle,
    })
}

fn size(build: &Build, entry: u64) -> u32 {
    build.sizes.get(&entry).map_or(u32::MAX, |&size| u32::try_from(size).unwrap_or(u32::MAX))
}

/// A version of a function, and the line it is defined in.
type Version<'r, 'a> = Option<(&'r Function<'a>, u32)>;

fn old_version<'r, 'a>(resolver: &'r Resolver<'_, 'a>, definition: &Definition, base: &BaseSymbol) -> Version<'r, 'a> {
    // Several units may share a name; one that moved to another unit is found by the name of that.
    let paired = resolver.old_unit(definition.0).and_then(|i| resolver.old.facts(i));
    let units = paired.into_iter().chain(&resolver.old.units).filter(|f| f.unit.name == base.unit);
    let mut found = units.filter_map(|f| Some((&f.module, f.module.function_named(&escape(&base.name))?)));
    let (module, function) = found.find(|(_, f)| f.body.is_some())?;
    Some((function, module.place_of_function(function).map_or(0, |p| p.line)))
}

fn new_version<'r, 'a>(resolver: &'r Resolver<'_, 'a>, definition: &Definition) -> Version<'r, 'a> {
    let module = &resolver.new.facts(definition.0)?.module;
    Some((module.function_named(&definition.1)?, 0))
}

fn leaves_r11(function: &Function<'_>) -> bool {
    let mut words = function.before.split_whitespace().peekable();
    // `cc 11`: a convention by number is one that C cannot ask for.
    !words.clone().any(|w| w == "cc") && words.all(|w| !w.ends_with("cc") || R11_IS_FREE.contains(&w))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Module;

    #[test]
    fn conventions_that_pass_an_argument_in_r11_are_known() {
        let leaves = |words: &str| {
            let text = format!("define {words} @f(i32 %0) {{\n  ret void\n}}\n");
            leaves_r11(Module::parse(&text).expect("valid").function_named("f").expect("defined"))
        };
        for words in ["void", "internal fastcc void", "preserve_mostcc void", "preserve_allcc void", "win64cc void"] {
            assert!(leaves(words), "{words}");
        }
        for words in ["x86_regcallcc void", "preserve_nonecc void", "cc 11 void", "hidden anyregcc void"] {
            assert!(!leaves(words), "{words}");
        }
    }
}
