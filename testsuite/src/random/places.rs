//! The places in a program where something small can be changed: lines of bodies that are reached, and numbers in them.
use std::ops::Range;

use fastrand::Rng;

use super::program::Program;
use super::token::{Kind, Token, tokens};

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

/// The numbers of a line that are values: no array bounds or indexes, no null pointers.
pub(super) fn numbers(line: &str) -> Vec<Range<usize>> {
    let tokens = tokens(line);
    let before = |at: usize| if at == 0 { "" } else { &line[tokens[at - 1].at.clone()] };
    let is_value = |(at, _): &(usize, &Token)| ![")", "[", ":"].contains(&before(*at));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_bounds_and_null_pointers_are_no_values() {
        let found: Vec<_> =
            numbers("int32_t *l_3[4] = {(void*)0, &g_2[1], 5L};").into_iter().map(|at| at.start).collect();
        assert_eq!(found.len(), 1);
    }
}
