//! The table of changes, and those within a function's body. Each tells whether it found something to change.
use std::ops::Range;

use fastrand::Rng;

use super::edit;
use super::program::Program;
use super::token::{Kind, tokens};

/// A change; `false` when the program has nothing that it could change.
pub type Mutation = fn(&mut Program, &mut Rng) -> bool;

/// Name, weight and change.
pub const MUTATIONS: &[(&str, u32, Mutation)] = &[
    ("constant", 6, constant),
    ("operator", 6, operator),
    ("condition", 4, condition),
    ("drop-statement", 3, drop_statement),
    ("repeat-statement", 2, repeat_statement),
    ("add-function", 5, edit::add_function),
    ("remove-function", 3, edit::remove_function),
    ("rename-function", 1, edit::rename_function),
    ("move-function", 1, edit::move_function),
    ("inline-function", 2, edit::toggle_noinline),
    ("add-parameter", 4, edit::add_parameter),
    ("remove-parameter", 3, edit::remove_parameter),
    ("parameter-type", 1, edit::parameter_type),
    ("return-type", 1, edit::return_type),
    ("add-global", 4, edit::add_global),
    ("add-static", 4, edit::add_static),
    ("static-to-local", 1, edit::static_to_local),
    ("initializer", 1, edit::initializer),
    ("add-field", 1, edit::add_field),
];

/// Changes `program` up to four times; the names of the changes.
pub fn mutate(program: &mut Program, rng: &mut Rng) -> Vec<&'static str> {
    let wanted = rng.usize(1..=4);
    let mut done = Vec::new();
    // A change that finds nothing to do is drawn again, but not for ever.
    for _ in 0..30 {
        let (name, change) = draw(rng);
        let before = program.clone();
        if change(program, rng) {
            done.push(name);
        } else {
            *program = before;
        }
        if done.len() == wanted {
            break;
        }
    }
    done
}

fn draw(rng: &mut Rng) -> (&'static str, Mutation) {
    let mut at = rng.u32(0..MUTATIONS.iter().map(|(_, weight, _)| weight).sum());
    for (name, weight, change) in MUTATIONS {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return (name, *change),
        }
    }
    unreachable!("the number drawn is below the sum of the weights")
}

/// A function that func_1 reaches, by its index: what is never called changes nothing that one could see.
pub(super) fn reached(program: &Program, rng: &mut Rng) -> usize {
    let mut reached = vec![0];
    let mut next = 0;
    while let Some(&function) = reached.get(next) {
        let body = &program.functions[function].body;
        for (index, callee) in program.functions.iter().enumerate() {
            if !reached.contains(&index) && body.contains(&format!("{}(", callee.name)) {
                reached.push(index);
            }
        }
        next += 1;
    }
    reached[rng.usize(0..reached.len())]
}

/// Changes one of the lines of a body that `wanted` accepts.
pub(super) fn change_line(
    program: &mut Program,
    rng: &mut Rng,
    wanted: impl Fn(&str) -> bool,
    change: impl FnOnce(&mut Rng, &str) -> Option<String>,
) -> bool {
    let function = reached(program, rng);
    let body = &mut program.functions[function].body;
    let mut lines: Vec<String> = body.lines().map(str::to_owned).collect();
    // A statement that is a whole loop's or condition's body of one line must stay what it is.
    let lone = |at: usize| at > 0 && lines[at - 1].trim_end().ends_with(')');
    let places: Vec<usize> = (1..lines.len()).filter(|at| !lone(*at) && wanted(lines[*at].trim())).collect();
    if places.is_empty() {
        return false;
    }
    let at = places[rng.usize(0..places.len())];
    let Some(line) = change(rng, &lines[at]) else { return false };
    lines[at] = line;
    *body = lines.join("\n");
    true
}

/// Lines whose change cannot make a loop endless by itself.
pub(super) fn is_plain(line: &str) -> bool {
    !line.starts_with("for (") && !line.starts_with("int i")
}

/// An expression or assignment: neither declaration nor keyword.
fn is_statement(line: &str) -> bool {
    line.ends_with(';') && ["(*", "g_", "l_", "p_", "--", "++"].iter().any(|begin| line.starts_with(begin))
}

/// The numbers of a line that are values: no array bounds or indexes, no null pointers.
pub(super) fn numbers(line: &str) -> Vec<Range<usize>> {
    let tokens = tokens(line);
    let before = |at: usize| if at == 0 { "" } else { &line[tokens[at - 1].at.clone()] };
    let is_value = |(at, _): &(usize, &super::token::Token)| ![")", "[", ":"].contains(&before(*at));
    let numbers = tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Number);
    numbers.filter(is_value).map(|(_, token)| token.at.clone()).collect()
}

/// Puts something else where a number of a body stands.
pub(super) fn replace_number(
    program: &mut Program,
    rng: &mut Rng,
    with: impl FnOnce(&mut Rng, &str) -> String,
) -> bool {
    // A static's first value has to stay a constant.
    let has_numbers = |line: &str| is_plain(line) && !line.starts_with("static ") && !numbers(line).is_empty();
    change_line(program, rng, has_numbers, |rng, line| {
        let numbers = numbers(line);
        let at = numbers[rng.usize(0..numbers.len())].clone();
        let new = with(rng, &line[at.clone()]);
        Some(format!("{}{new}{}", &line[..at.start], &line[at.end..]))
    })
}

/// Another number of the same type.
pub(super) fn other_number(rng: &mut Rng, number: &str) -> String {
    let suffix: String = number.chars().rev().take_while(|c| "UL".contains(*c)).collect();
    let suffix: String = suffix.chars().rev().collect();
    match rng.u8(0..4) {
        0 => format!("{}{suffix}", rng.u8(0..8)),
        1 => format!("(~{number})"),
        2 => format!("0x{:X}{suffix}", rng.u16(..)),
        _ => format!("({number} + 1)"),
    }
}

fn constant(program: &mut Program, rng: &mut Rng) -> bool {
    replace_number(program, rng, other_number)
}

/// Operators that may stand for each other.
const ALIKE: [&[&str]; 8] = [
    &["==", "!="],
    &["<", ">", "<=", ">="],
    &["&&", "||"],
    &["|", "^"],
    &["|=", "^=", "&="],
    &["safe_add_func", "safe_sub_func", "safe_mul_func"],
    &["safe_lshift_func", "safe_rshift_func"],
    &["safe_mod_func", "safe_div_func"],
];

fn operator(program: &mut Program, rng: &mut Rng) -> bool {
    let places = |line: &str| -> Vec<(Range<usize>, &'static [&'static str])> {
        let of = |token: super::token::Token| {
            let word = &line[token.at.clone()];
            let start = token.at.start;
            ALIKE.iter().find_map(|alike| {
                // `safe_add_func_int8_t_s_s` and `safe_sub_func_int8_t_s_s` differ at their beginning only.
                let begins = |known: &&&str| word == **known || word.starts_with(&format!("{known}_"));
                alike.iter().find(begins).map(|known| (start..start + known.len(), *alike))
            })
        };
        tokens(line).into_iter().filter_map(of).collect()
    };
    let wanted = |line: &str| is_plain(line) && !places(line).is_empty();
    change_line(program, rng, wanted, |rng, line| {
        let places = places(line);
        let (at, alike) = places[rng.usize(0..places.len())].clone();
        let others: Vec<_> = alike.iter().filter(|other| **other != &line[at.clone()]).collect();
        Some(format!("{}{}{}", &line[..at.start], others[rng.usize(0..others.len())], &line[at.end..]))
    })
}

fn condition(program: &mut Program, rng: &mut Rng) -> bool {
    let is_condition = |line: &str| line.starts_with("if (") && line.ends_with(')');
    change_line(program, rng, is_condition, |rng, line| {
        let form = [("if (!(", "))"), ("if ((", ") && 0)"), ("if ((", ") || 1)")][rng.usize(0..3)];
        let inside = line.trim().strip_prefix("if (")?.strip_suffix(')')?;
        let blank = &line[..line.len() - line.trim_start().len()];
        Some(format!("{blank}{}{inside}{}", form.0, form.1))
    })
}

fn drop_statement(program: &mut Program, rng: &mut Rng) -> bool {
    change_line(program, rng, is_statement, |_, _| Some(";".to_owned()))
}

fn repeat_statement(program: &mut Program, rng: &mut Rng) -> bool {
    change_line(program, rng, is_statement, |_, line| Some(format!("{line} {}", line.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "struct S0 {\n   int32_t f0;\n};\n\nstatic int32_t g_2 = 7L;\n\n\
        static uint8_t  func_1(void);\nstatic int32_t  func_4(uint8_t  p_5, int32_t  p_6);\n\n\
        static uint8_t  func_1(void)\n{ \n    static int32_t l_7 = 3L;\n    \
        g_2 ^= func_4(safe_add_func_uint8_t_u_u(g_2, 5UL), func_4(1L, 2L));\n    \
        if ((g_2 == 4L))\n    { \n        g_2 = 8L;\n    }\n    return l_7;\n}\n\n\
        static int32_t  func_4(uint8_t  p_5, int32_t  p_6)\n{ \n    return (p_5 < p_6);\n}\n\n\
        int main (void)\n{\n    func_1();\n    transparent_crc(g_2, \"g_2\", print_hash_value);\n    \
        platform_main_end(0, print_hash_value);\n    return 0;\n}\n";

    #[test]
    fn every_change_changes_the_text() {
        let program = Program::parse(TEXT).expect("it is regular");
        for (name, _, change) in MUTATIONS {
            let changed = |seed| {
                let (mut mutant, mut rng) = (program.clone(), Rng::with_seed(seed));
                change(&mut mutant, &mut rng) && mutant != program
            };
            // With two functions there is no other order of them.
            assert!(*name == "move-function" || (0..50).any(changed), "`{name}` never changes anything");
        }
    }

    #[test]
    fn a_seed_says_it_all() {
        let mutant = |seed| {
            let mut program = Program::parse(TEXT).expect("it is regular");
            let names = mutate(&mut program, &mut Rng::with_seed(seed));
            (names, program.render())
        };
        assert_eq!(mutant(5), mutant(5));
        assert_ne!(mutant(5).1, mutant(6).1);
    }

    #[test]
    fn indexes_bounds_and_null_pointers_are_no_values() {
        let found: Vec<_> =
            numbers("int32_t *l_3[4] = {(void*)0, &g_2[1], 5L};").into_iter().map(|at| at.start).collect();
        assert_eq!(found.len(), 1);
    }
}
