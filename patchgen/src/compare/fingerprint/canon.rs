//! Writes canonical text. See the module above for what is taken away.

use std::collections::HashMap;

use super::keys::StableNames;
use super::mark;
use super::metadata::Metadata;
use super::own_line::{openmp_location, tail_without_lines, without_lines};
use crate::ir::header::{VISIBILITY_WORDS, is_linkage, is_weak};
use crate::ir::lex::{Token, TokenKind, tokens};
use crate::ir::{Function, Global, Module, Symbol};

/// Attachments that steer no code.
const DROPPED_ATTACHMENTS: [&str; 4] = ["!dbg", "!DIAssignID", "!srcloc", "!heapallocsite"];

/// Inferred attributes that describe a function to its callers. Only IR optimisation reads them, and what it made
/// of them is in the text of the callers; code generation takes every call for one that may do anything.
const FOR_CALLERS: [&str; 8] =
    ["memory", "norecurse", "nosync", "nofree", "willreturn", "mustprogress", "nocallback", "speculatable"];

/// The same for parameters and results, where a function is referred to. What callers may make of the range of a
/// result is judged by `compare::attributes`.
const PARAMETER_FOR_CALLERS: [&str; 6] = ["nocapture", "readonly", "readnone", "writeonly", "noundef", "nonnull"];

/// Canonical text of one function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Canonical {
    /// Header, then one line per instruction.
    pub text: String,
    /// For each line the number of its `!dbg` node.
    pub places: Vec<Option<usize>>,
}

/// Writes the canonical text of one module's functions and variables.
#[derive(Debug)]
pub struct Canon<'m, 'a> {
    module: &'m Module<'a>,
    names: &'m StableNames,
    /// Directories that differ between the builds only by where they were built.
    root: String,
    types: HashMap<&'a str, String>,
    headers: HashMap<&'a str, String>,
    contents: HashMap<&'a str, String>,
    open: Vec<&'a str>,
    metadata: Metadata,
}

/// Numbers given while writing one function.
#[derive(Default)]
struct Numbers<'t> {
    locals: HashMap<&'t str, usize>,
    distinct: HashMap<usize, usize>,
}

impl<'m, 'a> Canon<'m, 'a> {
    /// For one module; `root` is replaced in strings (empty: nothing is).
    pub fn new(module: &'m Module<'a>, names: &'m StableNames, root: &str) -> Self {
        Self {
            module,
            names,
            root: root.to_owned(),
            types: HashMap::new(),
            headers: HashMap::new(),
            contents: HashMap::new(),
            open: Vec::new(),
            metadata: Metadata::default(),
        }
    }

    /// Canonical text of a function that has a body.
    pub fn function(&mut self, function: &Function<'a>) -> Canonical {
        let mut out = Canonical::default();
        let mut numbers = Numbers::default();
        out.text = self.own_header(function, &mut numbers);
        out.text.push('\n');
        out.places.push(None);
        for line in instructions(function) {
            let place = self.line(line, &mut numbers, &mut out.text);
            out.text.push('\n');
            out.places.push(place);
        }
        out
    }

    fn line(&mut self, line: &'a str, numbers: &mut Numbers<'a>, out: &mut String) -> Option<usize> {
        let mut place = None;
        let mut comma = false;
        let mut rest = tokens(line);
        while let Some(token) = rest.next() {
            if token.is(",") {
                comma = true;
                continue;
            }
            if token.kind == TokenKind::Meta && DROPPED_ATTACHMENTS.contains(&token.text) {
                let node = rest.next();
                if token.text == "!dbg" {
                    place = node.and_then(|n| n.name().parse().ok());
                }
                comma = false;
                continue;
            }
            if std::mem::take(&mut comma) {
                out.push_str(", ");
            }
            self.token(token, numbers, out);
        }
        place
    }

    fn token(&mut self, token: Token<'a>, numbers: &mut Numbers<'a>, out: &mut String) {
        match token.kind {
            TokenKind::Local | TokenKind::Label => {
                let name = if token.kind == TokenKind::Label { token.text } else { token.name() };
                // A name can be a type or a value; what it is cannot be told here, so both are written.
                if self.module.type_index.contains_key(token.text) {
                    let mark = self.named_type(token.text);
                    out.push_str(&mark);
                }
                let next = numbers.locals.len();
                let number = numbers.locals.entry(name).or_insert(next);
                out.push_str(&format!("%{number}"));
            }
            TokenKind::Attributes => {
                out.push_str(&mark(self.module.attributes.get(token.text).copied().unwrap_or(token.text)))
            }
            TokenKind::Global => out.push_str(&self.reference(token.name())),
            TokenKind::Meta => self.metadata.write(self.module, token.text, &mut numbers.distinct, out),
            TokenKind::Text => out.push_str(&self.string(token.text)),
            TokenKind::Comdat => {
                let kind = self.module.comdats.get(token.text).copied().unwrap_or_default();
                out.push_str(&format!("{} {kind}", token.text));
            }
            TokenKind::Newline => {}
            // On x86-64 the fast convention is the C convention (X86CallingConv.td, CC_X86_64).
            TokenKind::Word if token.text == "fastcc" => return,
            TokenKind::Word | TokenKind::Punct => out.push_str(token.text),
        }
        out.push(' ');
    }

    fn string(&self, text: &str) -> String {
        let mut out = if self.root.is_empty() { text.to_owned() } else { text.replace(&self.root, "<root>") };
        for stamp in self.names.build_timestamps.iter().filter(|s| text.contains(s.as_str())) {
            out = out.replace(stamp, "<when>");
        }
        out
    }

    /// A function's attributes without those for its callers; `own` keeps what its own unwind table depends on.
    fn attributes(&self, group: &str, own: bool) -> String {
        let text = self.module.attributes.get(group).copied().unwrap_or(group);
        let all: Vec<Token<'_>> = tokens(text).collect();
        let mut kept = String::new();
        let mut at = 0;
        while let Some(token) = all.get(at) {
            at += 1;
            let dropped = FOR_CALLERS.contains(&token.text) || (!own && token.text == "nounwind");
            if token.kind == TokenKind::Word && dropped {
                if all.get(at).is_some_and(|t| t.is("(")) {
                    at = crate::ir::header::closing(&all, at).map_or(all.len(), |close| close + 1);
                }
                continue;
            }
            kept.push_str(token.text);
            kept.push(' ');
        }
        mark(&kept)
    }

    fn own_header(&mut self, function: &Function<'a>, numbers: &mut Numbers<'a>) -> String {
        let mut out = String::from("define ");
        self.words(function.before, numbers, &mut out);
        out.push_str("@self(");
        self.line(function.inside, numbers, &mut out);
        out.push_str(") ");
        let mut rest = tokens(function.after);
        while let Some(token) = rest.next() {
            match token.kind {
                TokenKind::Attributes => out.push_str(&self.attributes(token.text, true)),
                TokenKind::Meta if token.text == "!dbg" => drop(rest.next()),
                TokenKind::Word if VISIBILITY_WORDS.contains(&token.text) => {}
                TokenKind::Word if token.text == "comdat" => {
                    // One of the function's own name is printed without it.
                    let own = format!("${}", function.name);
                    let kind = self.module.comdats.get(own.as_str()).copied().unwrap_or_default();
                    out.push_str(&format!("comdat {kind} "));
                }
                _ => self.token(token, numbers, &mut out),
            }
        }
        out
    }

    /// Words before a name, without those that only say who sees it.
    fn words(&mut self, text: &'a str, numbers: &mut Numbers<'a>, out: &mut String) {
        for token in tokens(text).filter(|t| !is_linkage_or_visibility(t)) {
            self.token(token, numbers, out);
        }
    }

    /// What stands for a name where code refers to it. A function comes with the attributes its callers may have
    /// relied on; a constant with its content; a variable with its type and where it lives.
    pub fn reference(&mut self, name: &'a str) -> String {
        match self.module.symbols.get(name).copied() {
            Some(Symbol::Function(i)) => {
                let function = &self.module.functions[i];
                if function.is_intrinsic() {
                    return format!("@{name}");
                }
                let mark = self.header(function);
                format!("@{}:{mark}", self.names.key(name))
            }
            Some(Symbol::Global(i)) => {
                let global = &self.module.globals[i];
                // The content of a weak one is not known: another definition may override it.
                let known = !matches!(global.linkage, "weak" | "linkonce");
                if global.constant && global.initialiser.is_some() && known {
                    return self.constant(global);
                }
                let kind = self.plain(global.value_type);
                let word = if global.constant { "constant" } else { "global" };
                let weak = if is_weak(global.linkage) { global.linkage } else { "" };
                let mut out = format!("@{}:({weak} {} {word} ", self.names.key(name), global.tls.unwrap_or_default());
                out.push_str(&format!("{} {kind}", global.other));
                if global.initialiser.is_none() {
                    self.tail(global, &mut out);
                }
                out + ")"
            }
            Some(Symbol::Alias(i)) => format!("@{name}:{}", mark(self.module.aliases[i].text)),
            None => format!("@{name}"),
        }
    }

    fn header(&mut self, function: &Function<'a>) -> String {
        if let Some(known) = self.headers.get(function.name) {
            return known.clone();
        }
        let mut numbers = Numbers::default();
        let mut out = String::new();
        let mut before = tokens(function.before).peekable();
        while let Some(token) = before.next() {
            if token.is("range") && before.peek().is_some_and(|t| t.is("(")) {
                before.by_ref().find(|t| t.is(")"));
            } else if !is_linkage_or_visibility(&token) && !PARAMETER_FOR_CALLERS.contains(&token.text) {
                self.token(token, &mut numbers, &mut out);
            }
        }
        for parameter in function.parameters() {
            out.push_str(", ");
            for token in tokens(parameter).filter(|t| !PARAMETER_FOR_CALLERS.contains(&t.text)) {
                match token.kind {
                    TokenKind::Local if self.module.type_index.contains_key(token.text) => {
                        out.push_str(&self.named_type(token.text));
                    }
                    // Its name, or a type of which nothing is known.
                    TokenKind::Local => {}
                    _ => self.token(token, &mut numbers, &mut out),
                }
            }
        }
        for token in tokens(function.after).filter(|t| t.kind == TokenKind::Attributes) {
            out.push_str(&self.attributes(token.text, false));
        }
        let mark = mark(&out);
        self.headers.insert(function.name, mark.clone());
        mark
    }

    fn constant(&mut self, global: &Global<'a>) -> String {
        let content = self.content_mark(global);
        match global.is_anonymous() {
            true => format!("@const:{content}"),
            false => format!("@{}:{content}", self.names.key(global.name)),
        }
    }

    fn content_mark(&mut self, global: &Global<'a>) -> String {
        if let Some(known) = self.contents.get(global.name) {
            return known.clone();
        }
        // A constant that leads back to itself: how far up says which one is meant.
        if let Some(up) = self.open.iter().rev().position(|&n| n == global.name) {
            return format!("up{up}");
        }
        self.open.push(global.name);
        let mark = mark(&self.definition(global));
        self.open.pop();
        self.contents.insert(global.name, mark.clone());
        mark
    }

    /// Canonical definition of a variable or constant: type, initialiser, alignment, section.
    pub fn definition(&mut self, global: &Global<'a>) -> String {
        if let Some(location) = openmp_location(self.module, global) {
            return location;
        }
        let mut out = format!("{} {} ", if global.constant { "constant" } else { "global" }, global.other);
        out.push_str(global.tls.unwrap_or_default());
        let initialiser = global.initialiser.unwrap_or_default();
        let rooted = !self.root.is_empty() && initialiser.contains(&self.root);
        // The length of a string with a directory in it changes with the directory.
        out.push_str(&if rooted { String::from("text") } else { self.plain(global.value_type) });
        out.push(' ');
        let content = self.plain(initialiser);
        out.push_str(&without_lines(self.module, global, content));
        self.tail(global, &mut out);
        out
    }

    /// Section, alignment, attachments. Which of several definitions the linker took, and so the comdat, is known
    /// from the base's record.
    fn tail(&mut self, global: &Global<'a>, out: &mut String) {
        let mut distinct = HashMap::new();
        for item in global.tail_items().into_iter().filter(|i| !i.starts_with("!dbg") && !i.starts_with("comdat")) {
            out.push_str(", ");
            for token in tokens(&tail_without_lines(self.module, global, item)) {
                match token.kind {
                    TokenKind::Meta => self.metadata.write(self.module, token.text, &mut distinct, out),
                    _ => out.push_str(token.text),
                }
                out.push(' ');
            }
        }
    }

    /// Text outside functions: functions appear by name only, because their address does not change with them.
    fn plain(&mut self, text: &'a str) -> String {
        let mut out = String::new();
        let mut labels_of = None;
        for token in tokens(text) {
            match token.kind {
                // `blockaddress(@f, %7)`: a label is known by its place in the function.
                TokenKind::Word if token.text == "blockaddress" => labels_of = Some(""),
                TokenKind::Global if labels_of == Some("") => labels_of = Some(token.name()),
                TokenKind::Local if labels_of.is_some() => {
                    let number = labels_of.take().and_then(|f| self.label(f, token.name()));
                    out.push_str(&number.map_or_else(|| token.text.to_owned(), |n| format!("label {n}")));
                    continue;
                }
                _ => {}
            }
            match token.kind {
                TokenKind::Global => match self.module.symbols.get(token.name()) {
                    Some(Symbol::Function(_)) => out.push_str(&format!("@{}", self.names.key(token.name()))),
                    _ => out.push_str(&self.reference(token.name())),
                },
                TokenKind::Local => out.push_str(&self.named_type(token.text)),
                TokenKind::Text => out.push_str(&self.string(token.text)),
                _ => out.push_str(token.text),
            }
            out.push(' ');
        }
        out
    }

    /// How many labels of a function stand before this one. The first block may have none of its own.
    fn label(&self, function: &str, label: &str) -> Option<usize> {
        let body = self.module.function_named(function)?.body?;
        tokens(body).filter(|t| t.kind == TokenKind::Label).position(|t| t.text == label)
    }

    fn named_type(&mut self, name: &'a str) -> String {
        if let Some(known) = self.types.get(name) {
            return known.clone();
        }
        let Some(definition) = self.module.type_index.get(name).copied() else { return name.to_owned() };
        // Types contain each other by value only, so this ends; `opaque` ends it in broken input.
        self.types.insert(name, "%open".into());
        let mut out = String::new();
        for token in tokens(definition) {
            match token.kind {
                TokenKind::Local => out.push_str(&self.named_type(token.text)),
                _ => out.push_str(token.text),
            }
            out.push(' ');
        }
        let mark = format!("%{}", mark(&out));
        self.types.insert(name, mark.clone());
        mark
    }
}

/// A function's instructions and labels, of which its canonical text has a line each.
pub fn instructions<'a>(function: &Function<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    function.body.unwrap_or_default().lines().filter(|line| !is_blank_or_debug_only(line))
}

/// Blank, a comment alone, or a record of debug information.
fn is_blank_or_debug_only(line: &str) -> bool {
    let mut all = tokens(line).filter(|t| t.kind != TokenKind::Newline);
    let Some(first) = all.next() else { return true };
    let about_debug = |t: Token<'_>| t.kind == TokenKind::Global && t.text.starts_with("@llvm.dbg.");
    line.trim_start().starts_with("#dbg_") || about_debug(first) || all.any(about_debug)
}

fn is_linkage_or_visibility(token: &Token<'_>) -> bool {
    let linkage = is_linkage(token.text) && !is_weak(token.text);
    token.kind == TokenKind::Word && (VISIBILITY_WORDS.contains(&token.text) || linkage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::fingerprint::hash;

    fn canonical(text: &str, name: &str) -> Canonical {
        let module = Module::parse(text).expect("valid");
        let names = StableNames::of(&module);
        let function = module.function_named(name).expect("is there").clone();
        Canon::new(&module, &names, "").function(&function)
    }

    const BASE: &str = r#"%struct.a = type { i32, i64 }
@.str = private unnamed_addr constant [2 x i8] c"a\00", align 1
@table = internal constant [2 x ptr] [ptr @.str, ptr @g], align 16
@counter = internal global i32 0, align 4
define dso_local i32 @f(ptr noundef %0) #0 !dbg !1 {
    #dbg_value(ptr %0, !2, !DIExpression(), !3)
  %2 = getelementptr inbounds %struct.a, ptr %0, i32 0, i32 1, !dbg !3
  %3 = load atomic i64, ptr %2 seq_cst, align 8, !dbg !3, !tbaa !4
  %4 = call i32 @g(ptr @.str, ptr @table, i64 %3) #1, !dbg !3
  store i32 %4, ptr @counter, align 4
  br label %5
5:                                                ; preds = %1
  ret i32 %4, !dbg !3
}
declare i32 @g(ptr, ptr, i64) #0
attributes #0 = { nounwind memory(read) }
attributes #1 = { cold }
!1 = distinct !DISubprogram(name: "f", line: 3)
!3 = !DILocation(line: 4, scope: !1)
!4 = !{!5, !5, i64 0}
!5 = !{!"long"}
"#;

    #[test]
    fn names_and_numbers_do_not_matter() {
        let renamed = BASE
            .replace("%struct.a", "%struct.b")
            .replace("@.str", "@.str.7")
            .replace("%2", "%x")
            .replace("%5", "%done")
            .replace("\n5:", "\ndone:")
            .replace("#1", "#9")
            .replace("line: 4", "line: 400")
            .replace("!4", "!40")
            .replace("!5", "!50")
            .replace("dso_local i32 @f", "internal i32 @f");
        assert_eq!(canonical(BASE, "f").text, canonical(&renamed, "f").text);
    }

    #[test]
    fn everything_else_does() {
        let original = hash(&canonical(BASE, "f").text);
        let mutations = [
            ("i32 0, i32 1,", "i32 0, i32 0,"),
            ("inbounds ", ""),
            ("seq_cst", "monotonic"),
            ("align 8", "align 4"),
            ("c\"a", "c\"b"),
            ("{ i32, i64 }", "{ i64, i64 }"),
            ("\"long\"", "\"short\""),
            ("{ cold }", "{ }"),
            ("@counter, align 4\n  br", "@counter, align 2\n  br"),
            ("ptr @.str, ptr @g]", "ptr @.str, ptr @f]"),
            ("load atomic i64", "load atomic volatile i64"),
            ("@f(ptr noundef", "@f(ptr"),
            ("call i32 @g", "tail call i32 @g"),
            ("#0\n", "#1\n"),
            ("@counter = internal global", "@counter = internal thread_local global"),
        ];
        for (from, to) in mutations.into_iter() {
            let changed = BASE.replace(from, to);
            assert_ne!(changed, BASE, "{from} occurs");
            assert_ne!(hash(&canonical(&changed, "f").text), original, "{from} -> {to}");
        }
    }

    #[test]
    fn callee_attributes_are_no_change_of_the_callers() {
        let weaker = BASE.replace("nounwind memory(read)", "nounwind");
        assert_eq!(canonical(BASE, "f").text, canonical(&weaker, "f").text);
        let twice = BASE.replace("nounwind memory(read)", "nounwind returns_twice");
        assert_ne!(canonical(BASE, "f").text, canonical(&twice, "f").text);
    }

    #[test]
    fn each_line_knows_its_place() {
        let canonical = canonical(BASE, "f");
        assert_eq!(canonical.places.len(), canonical.text.lines().count());
        assert_eq!(canonical.places[1], Some(3));
    }

    #[test]
    fn a_directory_is_not_content() {
        let text = |dir: &str, n: usize| {
            format!(
                "@.str = private unnamed_addr constant [{n} x i8] c\"{dir}/a.c\\00\"\ndefine ptr @f() {{\n  ret ptr @.str\n}}\n"
            )
        };
        let of = |dir: &str| {
            let text = text(dir, dir.len() + 5);
            let module = Module::parse(&text).expect("valid");
            let names = StableNames::of(&module);
            let function = module.function_named("f").expect("is there").clone();
            Canon::new(&module, &names, dir).function(&function).text
        };
        assert_eq!(of("/tmp/old"), of("/tmp/newer"));
    }
}
