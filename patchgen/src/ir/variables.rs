//! Variables as the source declares them, each with the objects that the optimiser left of it: one, several pieces of it, or
//! none.

use std::collections::{HashMap, HashSet};

use super::debug::Node;
use super::lex::{TokenKind, tokens};
use super::{Global, Module};

/// An object that holds a variable or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Printed name.
    pub name: String,
    /// The piece, in bits from the variable's start: offset and size. None for the whole.
    pub bits: Option<(u64, u64)>,
    /// How the value is kept, where not as it is: the optimiser makes a flag of what takes only two values.
    pub form: String,
    /// Type and initial value.
    pub definition: String,
    /// The object cannot be written.
    pub constant: bool,
}

/// A `static` variable, or one of an unnamed namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name in the source.
    pub name: String,
    /// Name with all scopes; several variables may share it.
    pub path: String,
    /// The function it is local to.
    pub owner: Option<String>,
    /// The node of its type.
    pub kind: Option<String>,
    /// What is left of it.
    pub parts: Vec<Part>,
    /// Nothing is left of it but its value, which never changes.
    pub folded: bool,
    /// What the source does with it, where the record says.
    pub accesses: Option<Accesses>,
}

/// Bits of a variable that its unit reads and writes, before anything is optimised: offsets and sizes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accesses {
    /// Read, other than to be written back.
    pub reads: Vec<(u64, u64)>,
    /// Written.
    pub writes: Vec<(u64, u64)>,
}

/// Do two pieces of a variable have bits in common? None stands for the whole.
pub fn overlap(a: Option<(u64, u64)>, b: Option<(u64, u64)>) -> bool {
    a.zip(b).is_none_or(|(a, b)| a.0 < b.0 + b.1 && b.0 < a.0 + a.1)
}

impl Variable {
    /// Does its unit read any of these bits? Unless the record says otherwise, it does.
    pub fn is_read(&self, bits: Option<(u64, u64)>) -> bool {
        self.accesses.as_ref().is_none_or(|a| a.reads.iter().any(|r| overlap(Some(*r), bits)))
    }

    /// Does its unit write any of these bits? Unless the record says otherwise, it does.
    pub fn is_written(&self, bits: Option<(u64, u64)>) -> bool {
        self.accesses.as_ref().map_or(!self.folded, |a| a.writes.iter().any(|w| overlap(Some(*w), bits)))
    }

    /// Types and initial values of what is left of it.
    pub fn definition(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|p| p.definition.as_str()).collect();
        parts.join(", ")
    }

    /// Is anything left of it that code writes to?
    pub fn is_kept(&self) -> bool {
        self.parts.iter().any(|p| !p.constant)
    }
}

/// The variables of a module that only it can name, in the order of the source.
pub fn variables(module: &Module<'_>) -> Vec<Variable> {
    let mut objects: HashMap<&str, Vec<&Global<'_>>> = HashMap::new();
    let mut expressions = listed(module);
    for global in module.globals.iter().filter(|g| g.linkage == "internal" && g.initialiser.is_some()) {
        let Some(expression) = global.debug() else { continue };
        objects.entry(expression).or_default().push(global);
        expressions.push(expression);
    }
    let mut out: Vec<Variable> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut accesses = accesses(module);
    for reference in expressions.into_iter().filter(|reference| seen.insert(reference)) {
        let Some(expression) = module.debug_node(reference) else { continue };
        let Some(id) = expression.get("var") else { continue };
        let place = match places.get(id) {
            Some(place) => *place,
            None => {
                let Some(variable) = module.debug_node(id).and_then(|node| declared(module, &node)) else { continue };
                let accesses = accesses.as_mut().map(|all| all.remove(id).unwrap_or_default());
                let variable = Variable { accesses, ..variable };
                out.push(variable);
                places.insert(id, out.len() - 1);
                out.len() - 1
            }
        };
        let text = expression.get("expr").unwrap_or_default();
        let found = objects.get(reference);
        out[place].folded |= found.is_none() && text.contains("DW_OP_stack_value");
        out[place].parts.extend(found.into_iter().flatten().map(|global| part(global, text)));
    }
    out
}

/// The list that dsu-cc adds to each unit, by the node of the variable.
fn accesses<'a>(module: &Module<'a>) -> Option<HashMap<&'a str, Accesses>> {
    let list = module.named_metadata.get("dsu.accesses")?;
    let mut out: HashMap<&str, Accesses> = HashMap::new();
    for entry in tokens(list).filter(|t| t.kind == TokenKind::Meta).filter_map(|t| module.node(t.text)) {
        let fields = super::header::split_commas(entry.trim_start_matches("!{").trim_end_matches('}'));
        let number = |field: &str| field.strip_prefix("i64 ").and_then(|n| n.parse::<u64>().ok());
        let [variable, written, offset, size] = fields[..] else { return None };
        let (Some(written), Some(offset), Some(size)) = (number(written), number(offset), number(size)) else {
            return None;
        };
        let found = out.entry(variable).or_default();
        if written == 0 { found.reads.push((offset, size)) } else { found.writes.push((offset, size)) }
    }
    Some(out)
}

/// What the compile units list, in the order of the source.
fn listed<'a>(module: &Module<'a>) -> Vec<&'a str> {
    let units = module.named_metadata.get("llvm.dbg.cu").copied().unwrap_or_default();
    let units = tokens(units).filter(|t| t.kind == TokenKind::Meta).filter_map(|t| module.debug_node(t.text));
    let lists = units.filter_map(|unit| module.node(unit.get("globals")?));
    lists
        .flat_map(|list| tokens(list).filter(|t| t.kind == TokenKind::Meta).map(|t| t.text).collect::<Vec<_>>())
        .collect()
}

/// The variable of a `DIGlobalVariable`, where only its unit can name it.
fn declared(module: &Module<'_>, node: &Node<'_>) -> Option<Variable> {
    let name = node.text("name")?;
    let local =
        node.get("isLocal") == Some("true") || node.get("scope").is_some_and(|s| module.subprogram(s).is_some());
    let function = node.get("scope").and_then(|scope| module.subprogram(scope));
    let owner = function.and_then(|f| f.text("linkageName").or_else(|| f.text("name")));
    let mangled = node.text("linkageName").filter(|l| l.starts_with("_Z"));
    let path = match (&owner, mangled) {
        (Some(function), _) => format!("{function}::{name}"),
        (None, Some(mangled)) => mangled.split(".__uniq.").next().unwrap_or_default().to_owned(),
        (None, None) => name.clone(),
    };
    let kind = node.get("type").map(str::to_owned);
    local.then_some(Variable { name, path, owner, kind, parts: Vec::new(), folded: false, accesses: None })
}

fn part(global: &Global<'_>, expression: &str) -> Part {
    let inside = expression.trim_start_matches("!DIExpression(").trim_end_matches(')');
    let (form, piece) = inside.split_once("DW_OP_LLVM_fragment").unwrap_or((inside, ""));
    let mut numbers = piece.split(',').filter_map(|n| n.trim().parse::<u64>().ok());
    let bits = numbers.next().zip(numbers.next());
    Part {
        name: global.name.to_owned(),
        bits,
        form: form.trim_end_matches([',', ' ']).to_owned(),
        definition: format!("{} {}", global.value_type, global.initialiser.unwrap_or_default()),
        constant: global.constant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_its_pieces_and_what_was_folded_has_none() {
        let text = r#"@f.x.1 = internal global i64 0, align 8, !dbg !0
@f.x.0 = internal global i1 false, align 8, !dbg !3
!llvm.dbg.cu = !{!8}
!0 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression(DW_OP_LLVM_fragment, 64, 32))
!1 = distinct !DIGlobalVariable(name: "x", scope: !2, isLocal: true)
!2 = distinct !DISubprogram(name: "f", linkageName: "_Z1fv")
!3 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression(DW_OP_deref_size, 1, DW_OP_LLVM_fragment, 0, 32))
!4 = !DIGlobalVariableExpression(var: !5, expr: !DIExpression(DW_OP_constu, 10, DW_OP_stack_value))
!5 = distinct !DIGlobalVariable(name: "y", scope: !8, isLocal: true)
!6 = !{!4, !7}
!7 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression())
!8 = distinct !DICompileUnit(language: DW_LANG_C11, globals: !6)
"#;
        let found = variables(&Module::parse(text).expect("valid"));
        assert_eq!(found.iter().map(|v| v.path.as_str()).collect::<Vec<_>>(), ["y", "_Z1fv::x"]);
        assert!(found[0].folded && found[0].parts.is_empty() && !found[1].folded);
        let parts: Vec<_> = found[1].parts.iter().map(|p| (p.bits, p.form.as_str())).collect();
        assert_eq!(parts, [(Some((64, 32)), ""), (Some((0, 32)), "DW_OP_deref_size, 1")]);
    }
}
