//! A csmith program, taken apart at its regular seams and put together again around `round.h`.
use anyhow::{Context, Result, ensure};

use super::token;

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Structs and unions, everything before the globals.
    pub types: String,
    /// Definitions of globals, one a line.
    pub globals: Vec<String>,
    /// Variables that hold functions, one a line.
    pub pointers: Vec<String>,
    /// Functions in the order of their definitions.
    pub functions: Vec<Function>,
    /// The statements that print the globals' checksums.
    pub checksums: Vec<String>,
    /// First number for the names of what is added. One patch goes on with the variables of another by their names, so
    /// mutants of one base must not share any.
    pub numbers_from: usize,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Attributes, for instance `noinline`.
    pub attributes: String,
    /// What stands before the name: linkage and type.
    pub returns: String,
    /// Parameters as written.
    pub parameters: Vec<String>,
    /// From brace to brace.
    pub body: String,
}

impl Function {
    /// Type and attributes, name and parameters, without what follows.
    fn head(&self) -> String {
        let parameters = if self.parameters.is_empty() { "void".to_owned() } else { self.parameters.join(", ") };
        format!("{} {} {}({parameters})", self.attributes, self.returns, self.name).trim_start().to_owned()
    }

    /// Whether a number can stand for what it returns.
    pub fn returns_number(&self) -> bool {
        is_number(&self.returns)
    }
}

/// Whether a declaration's words make an integer type.
pub fn is_number(words: &str) -> bool {
    words.contains("int") && !words.contains(['*', '[']) && !words.contains("struct") && !words.contains("union")
}

const MAIN: &str = "int main (void)";

impl Program {
    /// Takes apart what csmith wrote with `--concise --no-argc`.
    pub fn parse(text: &str) -> Result<Self> {
        let (rest, main) = text.split_once(MAIN).context("csmith wrote no main")?;
        let lines: Vec<&str> = rest.lines().filter(|line| !line.starts_with("//") && !line.starts_with('#')).collect();
        let is_head = |line: &str| line.ends_with(')') && line.contains(" func_") && !line.starts_with([' ', '}']);
        let is_prototype = |line: &str| line.ends_with(");") && line.contains(" func_") && !line.starts_with(' ');
        let is_global = |line: &str| line.starts_with("static ") && line.contains(" = ") && line.ends_with(';');
        let first = |is: &dyn Fn(&str) -> bool| lines.iter().position(|line| is(line));
        let prototypes = first(&is_prototype).context("csmith wrote no prototypes")?;
        let globals = first(&is_global).unwrap_or(prototypes);
        let mut functions = Vec::new();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_head(line)) {
            let length = lines[at..].iter().position(|line| *line == "}").context("a function without end")?;
            functions.push(function(line, lines[at + 1..=at + length].join("\n"))?);
        }
        ensure!(functions.first().is_some_and(|first| first.name == "func_1"), "the first function is not func_1");
        let (_, checksums) = main.split_once("func_1();").context("main does not call func_1")?;
        let (checksums, _) = checksums.split_once("platform_main_end").context("main has no end")?;
        Ok(Self {
            types: lines[..globals].join("\n"),
            globals: lines[globals..prototypes]
                .iter()
                .filter(|line| is_global(line))
                .map(ToString::to_string)
                .collect(),
            pointers: Vec::new(),
            functions,
            checksums: checksums.trim().lines().map(str::to_owned).collect(),
            numbers_from: 900,
        })
    }

    /// The text of the wrapped program.
    pub fn render(&self) -> String {
        let mut text = "#include \"csmith.h\"\n#include \"serve.h\"\n#include \"round.h\"\n".to_owned();
        text += &self.types;
        text += &format!("\n{}\n\n", self.globals.join("\n"));
        for function in &self.functions {
            text += &format!("{};\n", function.head());
        }
        text += &format!("{}\n", self.pointers.join("\n"));
        for function in &self.functions {
            text += &format!("\n{}\n{}\n", function.head(), function.body);
        }
        text += "\nstatic void checksums(int times)\n{\n    int i, j, k;\n    int print_hash_value = 1;\n    \
                 (void)i, (void)j, (void)k;\n    crc32_gentab();\n    while (times-- > 0)\n        func_1();\n";
        text += &format!("    {}\n    printf(\"checksum %X\\n\", crc32_context);\n}}\n", self.checksums.join("\n"));
        text
    }

    /// How often each function is called by the others.
    pub fn callers(&self, name: &str) -> usize {
        self.functions.iter().map(|function| token::calls(&function.body, name).len()).sum()
    }
}

fn function(head: &str, body: String) -> Result<Function> {
    let start = head.rfind(" func_").context("a function without name")? + 1;
    let open = start + head[start..].find('(').context("a function without parameters")?;
    let inside = head[open + 1..].trim_end_matches(')');
    let parameters = if inside == "void" { Vec::new() } else { token::arguments(inside) };
    let (returns, name) = (head[..start].trim().to_owned(), head[start..open].to_owned());
    Ok(Function { name, attributes: String::new(), returns, parameters, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "// Options: none\n#include \"csmith.h\"\n\nstruct S0 {\n   int32_t f0;\n};\n\n\
        static int32_t g_2 = 7L;\nstatic int8_t *g_3[2] = {(void*)0,(void*)0};\n\n\
        static uint8_t  func_1(void);\nstatic int32_t * func_4(uint8_t  p_5, struct S0 * p_6);\n\n\
        static uint8_t  func_1(void)\n{ \n    int32_t l_7 = (*func_4(g_2, (void*)0));\n    return l_7;\n}\n\n\
        static int32_t * func_4(uint8_t  p_5, struct S0 * p_6)\n{ \n    return &g_2;\n}\n\n\
        int main (void)\n{\n    int i;\n    func_1();\n    transparent_crc(g_2, \"g_2\", print_hash_value);\n    \
        platform_main_end(crc32_context ^ 0xFFFFFFFFUL, print_hash_value);\n    return 0;\n}\n";

    #[test]
    fn a_program_is_taken_apart() {
        let program = Program::parse(TEXT).expect("it is regular");
        assert_eq!(program.globals.len(), 2);
        assert!(program.types.contains("struct S0"));
        let names: Vec<_> = program.functions.iter().map(|f| (&*f.name, f.returns_number())).collect();
        assert_eq!(names, [("func_1", true), ("func_4", false)]);
        assert_eq!(program.functions[1].parameters, ["uint8_t  p_5", "struct S0 * p_6"]);
        assert_eq!(program.checksums, ["transparent_crc(g_2, \"g_2\", print_hash_value);"]);
        assert_eq!(program.callers("func_4"), 1);
    }

    #[test]
    fn a_program_without_main_is_an_error() {
        assert!(Program::parse("int x;").is_err());
    }
}
