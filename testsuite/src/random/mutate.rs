//! The table of changes, and those within a function's body. Each tells whether it found something to change.
use std::ops::Range;

use fastrand::Rng;

use super::edit;
use super::places::{change_line, is_plain, other_number, replace_number};
use super::program::Program;
use super::token::{Token, tokens};

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

/// An expression or assignment: neither declaration nor keyword.
fn is_statement(line: &str) -> bool {
    line.ends_with(';') && ["(*", "g_", "l_", "p_", "--", "++"].iter().any(|begin| line.starts_with(begin))
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
        let of = |token: Token| {
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
}
