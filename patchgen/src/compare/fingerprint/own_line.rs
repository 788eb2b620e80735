//! Numbers of lines that a variable holds, or has in its name, because a macro put them there; and those that the compiler puts
//! into constants for OpenMP's library. They move with the code around them.

use crate::ir::debug::Node;
use crate::ir::lex::tokens;
use crate::ir::{Global, Module};

/// How many lines a macro may have: its `__LINE__` is that of its closing parenthesis, its declarations stand in its first.
const LINES_OF_A_MACRO: u64 = 8;

/// The name with the number of its line taken out, and the number. One of the next lines is the end of a macro.
pub fn pattern(name: &str, line: u64) -> Option<(String, u64)> {
    let bytes = name.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let starts = (0..bytes.len()).filter(|&at| digit(at) && (at == 0 || !digit(at - 1)));
    let mut found = starts.filter_map(|start| {
        let end = (start..bytes.len()).find(|&at| !digit(at)).unwrap_or(bytes.len());
        let number: u64 = name.get(start..end)?.parse().ok()?;
        let behind = number.checked_sub(line).filter(|behind| line != 0 && *behind <= LINES_OF_A_MACRO)?;
        Some((format!("{}<line+{behind}>{}", name.get(..start)?, name.get(end..)?), number))
    });
    found.next()
}

/// Is the name of a variable made from the number of its line, and from which?
fn number_in_name(module: &Module<'_>, global: &Global<'_>) -> Option<u64> {
    let node = module.variable(global).filter(|_| matches!(global.linkage, "internal" | "external"))?;
    pattern(&node.text("name")?, node.number("line")).map(|(_, number)| number)
}

/// The text of a variable's content without the numbers of its own line: of one that is named by its line, that is an entry of a
/// section, or that holds the name of its file, too.
pub(super) fn without_lines(module: &Module<'_>, global: &Global<'_>, text: String) -> String {
    let Some(node) = module.variable(global) else { return text };
    let (line, named) = (node.number("line"), number_in_name(module, global));
    let has = |line: u64| line != 0 && text.contains(&format!("i32 {line} "));
    let told = |line: u64| has(line) && (global.section().is_some() || names_file(module, global, &node));
    let lines = named.into_iter().chain(Some(line).filter(|l| (named.is_some() && has(*l)) || told(*l)));
    lines.fold(text, |text, line| text.replace(&format!("i32 {line} "), "i32 <line> "))
}

/// The same for what stands behind the content, where a section can be named by the line.
pub(super) fn tail_without_lines(module: &Module<'_>, global: &Global<'_>, item: &str) -> String {
    match number_in_name(module, global).filter(|_| item.starts_with("section ")) {
        Some(number) => item.replace(&number.to_string(), "<line>"),
        None => item.to_owned(),
    }
}

fn names_file(module: &Module<'_>, global: &Global<'_>, node: &Node<'_>) -> bool {
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let file = base(&module.file_of(node));
    let initialiser = global.initialiser.unwrap_or_default();
    let strings = tokens(initialiser).filter_map(|t| module.global_named(t.name())).filter(|g| g.constant);
    let mut texts = strings.filter_map(|g| g.initialiser?.strip_prefix("c\"")?.strip_suffix("\\00\""));
    !file.is_empty() && texts.any(|text| base(text) == file)
}

/// Where in the source a region of OpenMP is: `;file;function;line;column;;`, in a constant without a name. Gives it without line
/// and column, and without its length where another constant says it.
pub(super) fn openmp_location(module: &Module<'_>, global: &Global<'_>) -> Option<String> {
    let text = |name: &str, global: &Global<'_>| -> Option<String> {
        let unnamed = name.bytes().all(|b| b.is_ascii_digit()) && global.constant;
        let text = global.initialiser?.strip_prefix("c\";")?.strip_suffix(";;\\00\"").filter(|_| unnamed)?;
        let (place, _) = text.rsplit_once(';')?.0.rsplit_once(';')?;
        Some(format!("location {place}"))
    };
    if let Some(found) = text(global.name, global) {
        return Some(found);
    }
    let ident = global.value_type.contains("ident_t").then_some(global.initialiser?)?;
    let parts = crate::ir::header::split_commas(ident.strip_prefix('{')?.strip_suffix('}')?);
    let [first, second, third, _, pointer] = parts[..] else { return None };
    let name = pointer.strip_prefix("ptr @")?;
    let found = text(name, module.global_named(name)?)?;
    Some(format!("{first} {second} {third} {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_that_of_the_line_or_of_the_end_of_a_macro() {
        let of = |name, line| pattern(name, line).map(|(pattern, _)| pattern);
        assert_eq!(of("cnt_38", 38).as_deref(), Some("cnt_<line+0>"));
        assert_eq!(of("cnt_38_x", 36).as_deref(), Some("cnt_<line+2>_x"));
        assert_eq!(of("v2_38", 38).as_deref(), Some("v2_<line+0>"));
        assert_eq!((of("cnt_38", 39), of("cnt_138", 38), of("cnt", 38)), (None, None, None));
    }

    #[test]
    fn a_location_of_openmp_is_known_without_line_and_column() {
        let text = |line: &str| {
            format!(
                "@0 = private unnamed_addr constant [22 x i8] c\";a.c;sum;{line};55;;\\00\", align 1\n\
                 @1 = private unnamed_addr constant %struct.ident_t {{ i32 0, i32 2, i32 0, i32 2{line}, ptr @0 }}\n\
                 @.str = private unnamed_addr constant [22 x i8] c\";a.c;sum;{line};55;;\\00\", align 1\n"
            )
        };
        let (a, b) = (text("4"), text("12"));
        let (a, b) = (Module::parse(&a).expect("valid"), Module::parse(&b).expect("valid"));
        for name in ["0", "1"] {
            let of = |m: &Module<'_>| openmp_location(m, m.global_named(name).expect("there"));
            assert!(of(&a).is_some() && of(&a) == of(&b), "{name}");
        }
        assert_eq!(openmp_location(&a, a.global_named(".str").expect("there")), None);
    }
}
