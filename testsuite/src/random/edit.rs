//! Changes that reach beyond one body: functions, signatures, variables, types. And what makes csmith's output a
//! worthwhile base: calls that stay calls, statics with state, calls through pointers.
use fastrand::Rng;

use super::places::{change_line, is_plain, numbers, other_number, reached, replace_number};
use super::program::{Program, is_number};
use super::token::{arguments, calls};

const NOINLINE: &str = "__attribute__((noinline))";
const TYPES: [&str; 8] = ["int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t"];

/// Keeps functions from vanishing into their only caller, gives some locals a life of their own, and lets one
/// function be called through a pointer of which the optimiser knows nothing.
pub fn prepare(program: &mut Program, rng: &mut Rng) {
    for function in &mut program.functions {
        if rng.u8(0..10) < 6 {
            function.attributes = NOINLINE.to_owned();
        }
        let lines: Vec<String> = function.body.lines().map(|line| maybe_static(line, rng)).collect();
        function.body = lines.join("\n");
    }
    if program.functions.len() > 1 && rng.bool() {
        let target = rng.usize(1..program.functions.len());
        call_through_pointer(program, target);
    }
}

/// A number's declaration, now and then made static.
fn maybe_static(line: &str, rng: &mut Rng) -> String {
    let declaration = line.trim();
    let type_ends = declaration.find(" l_").filter(|at| TYPES.contains(&&declaration[..*at]));
    let is_constant = declaration.split_once(" = ").is_some_and(|(_, value)| {
        value.ends_with(';') && numbers(value).len() == 1 && !value.contains(['_', '{', '&'])
    });
    let blank = &line[..line.len() - line.trim_start().len()];
    if type_ends.is_some() && is_constant && rng.u8(0..10) < 3 {
        format!("{blank}static {declaration}")
    } else {
        line.to_owned()
    }
}

fn call_through_pointer(program: &mut Program, target: usize) {
    let function = program.functions[target].clone();
    let pointer = format!("via_{}", function.name);
    for caller in &mut program.functions {
        for index in (0..calls(&caller.body, &function.name).len()).rev() {
            let start = calls(&caller.body, &function.name)[index].0.start;
            caller.body.replace_range(start..start + function.name.len(), &pointer);
        }
    }
    let parameters = if function.parameters.is_empty() { "void".to_owned() } else { function.parameters.join(", ") };
    let returns = function.returns.replace("inline ", "");
    program.pointers.push(format!("{returns} (* volatile {pointer})({parameters}) = {};", function.name));
}

/// A number that no name of the program has yet.
fn fresh(program: &Program) -> usize {
    let text = program.render();
    (program.numbers_from..).find(|number| !text.contains(&format!("_{number}"))).expect("there are numbers enough")
}

/// A function that is called by others under its own name, by its index.
fn called(program: &Program, rng: &mut Rng) -> Option<usize> {
    let called = |index: &usize| program.callers(&program.functions[*index].name) > 0;
    let candidates: Vec<usize> = (1..program.functions.len()).filter(called).collect();
    if candidates.is_empty() { None } else { Some(candidates[rng.usize(0..candidates.len())]) }
}

/// Replaces each call of `name` by what `new` makes of its arguments; the innermost first.
fn replace_calls(program: &mut Program, name: &str, new: impl Fn(&[String]) -> Option<String>) -> bool {
    for function in &mut program.functions {
        for index in (0..calls(&function.body, name).len()).rev() {
            let (whole, inside) = calls(&function.body, name)[index].clone();
            let Some(text) = new(&arguments(&function.body[inside])) else { return false };
            function.body.replace_range(whole, &text);
        }
    }
    true
}

pub(super) fn add_function(program: &mut Program, rng: &mut Rng) -> bool {
    let number = fresh(program);
    let name = format!("func_{number}");
    let body = match rng.u8(0..3) {
        0 => format!("{{\n    return p_{number} * 3 + {};\n}}", rng.u8(..)),
        1 => format!("{{\n    static uint32_t l_{number} = {};\n    return p_{number} ^ ++l_{number};\n}}", rng.u8(..)),
        _ => format!(
            "{{\n    static const uint16_t l_{number}[4] = {{{}, 2, 3, 5}};\n    \
             return p_{number} + l_{number}[p_{number} & 3];\n}}",
            rng.u16(..)
        ),
    };
    if !replace_number(program, rng, |_, number| format!("{name}({number})")) {
        return false;
    }
    program.functions.push(super::program::Function {
        name,
        attributes: if rng.bool() { NOINLINE.to_owned() } else { String::new() },
        returns: "static int32_t".to_owned(),
        parameters: vec![format!("uint32_t p_{number}")],
        body,
    });
    true
}

pub(super) fn remove_function(program: &mut Program, rng: &mut Rng) -> bool {
    let Some(at) = called(program, rng) else { return false };
    let name = program.functions[at].name.clone();
    if !program.functions[at].returns_number() || program.pointers.iter().any(|line| line.contains(&name)) {
        return false;
    }
    let value = rng.u8(..);
    program.functions.remove(at);
    replace_calls(program, &name, |_| Some(format!("({value})")))
}

pub(super) fn rename_function(program: &mut Program, rng: &mut Rng) -> bool {
    let Some(at) = called(program, rng) else { return false };
    let name = program.functions[at].name.clone();
    if program.pointers.iter().any(|line| line.contains(&name)) {
        return false;
    }
    let new = format!("func_{}", fresh(program));
    program.functions[at].name.clone_from(&new);
    replace_calls(program, &name, |arguments| Some(format!("{new}({})", arguments.join(", "))))
}

pub(super) fn move_function(program: &mut Program, rng: &mut Rng) -> bool {
    if program.functions.len() < 3 {
        return false;
    }
    let function = program.functions.remove(rng.usize(1..program.functions.len()));
    let to = rng.usize(1..=program.functions.len());
    program.functions.insert(to, function);
    true
}

pub(super) fn toggle_noinline(program: &mut Program, rng: &mut Rng) -> bool {
    let at = reached(program, rng);
    let attributes = &mut program.functions[at].attributes;
    *attributes = if attributes.is_empty() { NOINLINE.to_owned() } else { String::new() };
    true
}

pub(super) fn add_parameter(program: &mut Program, rng: &mut Rng) -> bool {
    let Some(at) = called(program, rng) else { return false };
    let number = fresh(program);
    let (name, value) = (program.functions[at].name.clone(), rng.u16(..));
    program.functions[at].parameters.push(format!("{} p_{number}", TYPES[rng.usize(0..TYPES.len())]));
    // Used at once, by a line of its own in front of the others.
    let global = program.globals.iter().find_map(|line| number_global(line)).map(str::to_owned);
    if let Some(global) = global {
        let body = &program.functions[at].body;
        let Some(end) = body.rfind("    return ") else { return false };
        program.functions[at].body = format!("{}    {global} ^= p_{number};\n{}", &body[..end], &body[end..]);
    }
    replace_calls(program, &name, |arguments| {
        let more = [arguments, &[value.to_string()]].concat();
        Some(format!("{name}({})", more.join(", ")))
    })
}

/// The name of a global of an integer type that may be written.
fn number_global(line: &str) -> Option<&str> {
    let (declaration, _) = line.strip_prefix("static ")?.split_once(" = ")?;
    let (kind, name) = declaration.rsplit_once(' ')?;
    (TYPES.contains(&kind) && !name.contains('[')).then_some(name)
}

/// A function and one of its parameters that is a number whose address nobody takes.
fn number_parameter(program: &Program, rng: &mut Rng) -> Option<(usize, usize)> {
    let at = called(program, rng)?;
    let function = &program.functions[at];
    let name = |parameter: &str| parameter.rsplit(' ').next().unwrap_or_default().to_owned();
    let fits = |parameter: &str| is_number(parameter) && !function.body.contains(&format!("&{}", name(parameter)));
    let fitting: Vec<usize> = (0..function.parameters.len()).filter(|i| fits(&function.parameters[*i])).collect();
    if fitting.is_empty() { None } else { Some((at, fitting[rng.usize(0..fitting.len())])) }
}

pub(super) fn remove_parameter(program: &mut Program, rng: &mut Rng) -> bool {
    let Some((at, which)) = number_parameter(program, rng) else { return false };
    let function = &mut program.functions[at];
    let (name, count) = (function.name.clone(), function.parameters.len());
    let parameter = function.parameters.remove(which);
    function.body = function.body.replacen('{', &format!("{{\n    {parameter} = {};", rng.u8(..)), 1);
    replace_calls(program, &name, |arguments| {
        let mut rest = arguments.to_vec();
        (rest.len() == count).then(|| rest.remove(which))?;
        Some(format!("{name}({})", rest.join(", ")))
    })
}

pub(super) fn parameter_type(program: &mut Program, rng: &mut Rng) -> bool {
    let Some((at, which)) = number_parameter(program, rng) else { return false };
    let parameter = &mut program.functions[at].parameters[which];
    let Some((kind, name)) = parameter.rsplit_once(' ') else { return false };
    let constant = if kind.contains("const") { "const " } else { "" };
    *parameter = format!("{constant}{} {name}", TYPES[rng.usize(0..TYPES.len())]);
    true
}

pub(super) fn return_type(program: &mut Program, rng: &mut Rng) -> bool {
    let Some(at) = called(program, rng) else { return false };
    if !program.functions[at].returns_number() {
        return false;
    }
    program.functions[at].returns = format!("static {}", TYPES[rng.usize(0..TYPES.len())]);
    true
}

pub(super) fn add_global(program: &mut Program, rng: &mut Rng) -> bool {
    let number = fresh(program);
    let name = format!("g_{number}");
    if !replace_number(program, rng, |_, number| format!("({number} + ({name} += 3))")) {
        return false;
    }
    let kind = TYPES[rng.usize(0..TYPES.len())];
    let value = if rng.bool() { 0 } else { rng.u8(..) };
    program.globals.push(format!("static {kind} {name} = {value};"));
    program.checksums.push(format!("transparent_crc({name}, \"{name}\", print_hash_value);"));
    true
}

pub(super) fn add_static(program: &mut Program, rng: &mut Rng) -> bool {
    let number = fresh(program);
    let (kind, value) = (TYPES[rng.usize(0..TYPES.len())], rng.u8(..));
    // Where a line has a number, a block of its own can stand in front of it.
    let wanted = |line: &str| is_plain(line) && line.ends_with(';') && line.starts_with(['(', 'g', 'p']);
    let Some(global) = program.globals.iter().find_map(|line| number_global(line)).map(str::to_owned) else {
        return false;
    };
    change_line(program, rng, wanted, |_, line| {
        Some(format!("    {{ static {kind} l_{number} = {value}; {global} ^= l_{number}++; }}\n{line}"))
    })
}

pub(super) fn static_to_local(program: &mut Program, rng: &mut Rng) -> bool {
    let is_static = |line: &str| line.starts_with("static ");
    change_line(program, rng, is_static, |_, line| Some(line.replacen("static ", "", 1)))
}

pub(super) fn initializer(program: &mut Program, rng: &mut Rng) -> bool {
    let at = rng.usize(0..program.globals.len().max(1));
    let Some(line) = program.globals.get_mut(at) else { return false };
    let begin = line.find(" = ").unwrap_or(line.len());
    let numbers: Vec<_> = numbers(line).into_iter().filter(|number| number.start > begin).collect();
    if numbers.is_empty() {
        return false;
    }
    let number = numbers[rng.usize(0..numbers.len())].clone();
    let new = other_number(rng, &line[number.clone()]);
    line.replace_range(number, &new);
    true
}

pub(super) fn add_field(program: &mut Program, rng: &mut Rng) -> bool {
    let number = fresh(program);
    let structs: Vec<usize> = program.types.match_indices("struct S").map(|(at, _)| at).collect();
    if structs.is_empty() {
        return false;
    }
    let at = structs[rng.usize(0..structs.len())];
    let Some(end) = program.types[at..].find("\n};") else { return false };
    program.types.insert_str(at + end, &format!("\n   int32_t  f{number};"));
    true
}
