//! Which types, variables and functions have to do with a type, by debug information.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::debug::{Node, Place};
use crate::ir::debug::{elements, number};
use crate::ir::lex::{Kind, tokens};
use crate::ir::{Function, Module};

/// The debug nodes of a module, with their users.
pub(super) struct Nodes<'m, 'a> {
    pub(super) module: &'m Module<'a>,
    nodes: Vec<Option<Node<'a>>>,
    /// Type -> types that are made of it: pointers to it, arrays of it, members of its type.
    users: BTreeMap<usize, Vec<usize>>,
    /// Variables in which there are no addresses, and never will be.
    without_pointers: BTreeSet<usize>,
}

/// All that leads to one type in one module.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Types that contain it or lead to it through pointers.
    pub(super) types: BTreeSet<usize>,
    /// Those of them that contain it.
    pub(super) by_value: BTreeSet<usize>,
    targets: BTreeSet<usize>,
}

/// Constants that hold no address. (Of one that the compiler has dissolved, debug information does not tell whether it was
/// null.)
fn without_pointers(module: &Module<'_>, nodes: &[Option<Node<'_>>]) -> BTreeSet<usize> {
    let mut objects: BTreeMap<usize, bool> = BTreeMap::new();
    for global in &module.globals {
        let address = |i: &str| i.contains('@') || i.contains("inttoptr");
        let none = global.constant && global.initialiser.is_some_and(|i| !address(i));
        let expressions = global.tail_items().into_iter().filter_map(|item| number(item.strip_prefix("!dbg ")?));
        expressions.for_each(|id| *objects.entry(id).or_insert(true) &= none);
    }
    let mut variables: BTreeMap<usize, bool> = BTreeMap::new();
    for (id, node) in nodes.iter().enumerate() {
        let Some(node) = node.as_ref().filter(|n| n.kind == "DIGlobalVariableExpression") else { continue };
        let none = objects.get(&id).copied().unwrap_or(false);
        if let Some(variable) = node.get("var").and_then(number) {
            *variables.entry(variable).or_insert(true) &= none;
        }
    }
    variables.into_iter().filter(|(_, none)| *none).map(|(id, _)| id).collect()
}

fn is_pointer(node: &Node<'_>) -> bool {
    node.get("tag").is_some_and(|t| t.contains("pointer") || t.contains("reference") || t.contains("ptr_to_member"))
}

impl<'m, 'a> Nodes<'m, 'a> {
    pub(super) fn of(module: &'m Module<'a>) -> Self {
        let nodes: Vec<_> = module.metadata.iter().map(|text| Node::parse(text)).collect();
        let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (id, node) in nodes.iter().enumerate() {
            let Some(node) = node.as_ref().filter(|n| matches!(n.kind, "DIDerivedType" | "DICompositeType")) else {
                continue;
            };
            let base = node.get("baseType").and_then(number);
            let parts = if node.kind == "DICompositeType" { elements(module, node) } else { Vec::new() };
            for used in base.into_iter().chain(parts) {
                users.entry(used).or_default().push(id);
            }
        }
        let without_pointers = without_pointers(module, &nodes);
        Self { module, nodes, users, without_pointers }
    }

    pub(super) fn node(&self, id: usize) -> Option<&Node<'a>> {
        self.nodes.get(id)?.as_ref()
    }

    fn place(&self, node: &Node<'a>) -> Place {
        Place { file: self.module.file_of(node), line: u32::try_from(node.number("line")).unwrap_or(0) }
    }

    /// What leads to the type of this name, a structure's own or its typedef's.
    pub(super) fn reach(&self, name: &str) -> Reach {
        let mut reach = Reach::default();
        for (id, node) in self.nodes.iter().enumerate() {
            let Some(node) = node.as_ref().filter(|n| n.text("name").as_deref() == Some(name)) else { continue };
            let base = node.get("baseType").and_then(number);
            let unnamed = || {
                base.and_then(|b| self.node(b)).is_some_and(|b| b.kind == "DICompositeType" && b.get("name").is_none())
            };
            match (node.kind, node.get("tag")) {
                ("DICompositeType", _) => drop(reach.targets.insert(id)),
                ("DIDerivedType", Some("DW_TAG_typedef")) if unnamed() => reach.targets.extend(base),
                _ => {}
            }
        }
        self.up_from(reach)
    }

    /// What leads to one type.
    pub(super) fn reach_of(&self, id: usize) -> Reach {
        self.up_from(Reach { targets: BTreeSet::from([id]), ..Reach::default() })
    }

    fn up_from(&self, mut reach: Reach) -> Reach {
        reach.by_value = self.upwards(&reach.targets, |node| !is_pointer(node));
        reach.types = self.upwards(&reach.targets, |_| true);
        reach
    }

    fn upwards(&self, from: &BTreeSet<usize>, follow: impl Fn(&Node<'a>) -> bool) -> BTreeSet<usize> {
        let mut out = BTreeSet::new();
        let mut queue: Vec<usize> = from.iter().copied().collect();
        while let Some(id) = queue.pop() {
            if out.insert(id) {
                let users = self.users.get(&id).into_iter().flatten().copied();
                queue.extend(users.filter(|u| self.node(*u).is_some_and(&follow)));
            }
        }
        out
    }

    /// Variables that contain it, or lead to it by their type.
    pub(super) fn variables(&self, reach: &Reach) -> Vec<(String, Place)> {
        let leads = self.nodes.iter().enumerate().filter_map(|(id, node)| {
            let node = node.as_ref().filter(|n| n.kind == "DIGlobalVariable")?;
            let of = node.get("type").and_then(number)?;
            let leads = reach.types.contains(&of) && !self.without_pointers.contains(&id);
            (leads || reach.by_value.contains(&of)).then_some(node)
        });
        leads.map(|n| (n.text("name").unwrap_or_default(), self.place(n))).collect()
    }

    /// Another structure or union that contains it or points to it.
    pub(super) fn holder(&self, reach: &Reach) -> Option<(String, Place)> {
        let others = reach.types.difference(&reach.targets).filter_map(|id| self.node(*id));
        let array = |n: &Node<'_>| n.get("tag") == Some("DW_TAG_array_type");
        let mut holders = others.filter(|n| n.kind == "DICompositeType" && !array(n));
        holders.next().map(|n| (n.text("name").unwrap_or_else(|| "(unnamed)".into()), self.place(n)))
    }

    /// Is something of another type converted to it somewhere?
    pub(super) fn is_cast_to(&self, reach: &Reach) -> bool {
        let units = self.nodes.iter().flatten().filter(|n| n.kind == "DICompileUnit");
        let lists = units.filter_map(|n| self.module.node(n.get("retainedTypes")?));
        lists.flat_map(tokens).filter_map(|t| number(t.text)).any(|id| reach.types.contains(&id))
    }

    /// Types of result and parameters that a subprogram was declared with.
    pub(super) fn signature(&self, subprogram: &Node<'a>) -> Vec<Option<usize>> {
        let list = subprogram.get("type").and_then(number).and_then(|id| self.node(id));
        let list = list.and_then(|n| self.module.node(n.get("types")?)).unwrap_or_default();
        let inside = list.trim_start_matches("!{").trim_end_matches('}');
        crate::ir::header::split_commas(inside).into_iter().map(number).collect()
    }

    /// The subprogram of a function with a body.
    pub(super) fn subprogram(&self, function: &Function<'a>) -> Option<&Node<'a>> {
        self.node(number(function.after.split("!dbg ").nth(1)?.split_whitespace().next()?)?)
    }

    /// Functions outside this module that are declared to take it.
    pub(super) fn declared_with(&self, reach: &Reach) -> Vec<String> {
        let all = self.nodes.iter().flatten().filter(|n| n.kind == "DISubprogram");
        let declared = all.filter(|n| !n.get("spFlags").is_some_and(|f| f.contains("DISPFlagDefinition")));
        let takes = declared.filter(|n| self.signature(n).into_iter().flatten().any(|t| reach.types.contains(&t)));
        takes.filter_map(|n| n.text("linkageName").or_else(|| n.text("name"))).collect()
    }

    /// Functions whose code or signature has to do with the type.
    pub(super) fn functions(&self, reach: &Reach, type_name: &str) -> Vec<(String, Option<Place>)> {
        let local = |id: usize| {
            let variable = self.node(id).filter(|n| n.kind == "DILocalVariable");
            variable.and_then(|n| n.get("type").and_then(number)).is_some_and(|t| reach.types.contains(&t))
        };
        // Accesses carry the name of the structure they go into.
        let quoted = format!("!\"{type_name}\"");
        let named: BTreeSet<usize> =
            (0..self.module.metadata.len()).filter(|id| self.module.metadata[*id].contains(&quoted)).collect();
        let access = |id: usize| {
            let text = self.module.metadata.get(id).filter(|t| t.starts_with("!{!")).copied().unwrap_or_default();
            tokens(text).filter_map(|t| number(t.text)).any(|base| named.contains(&base))
        };
        let all = self.module.functions.iter().filter(|f| crate::ir::is_defined(f));
        let touching = all.filter(|f| {
            let declared = self.subprogram(f).map(|s| self.signature(s)).unwrap_or_default();
            let mut body = tokens(f.body.unwrap_or_default());
            declared.into_iter().flatten().any(|t| reach.types.contains(&t))
                || body.any(|t| match t.kind {
                    Kind::Meta => number(t.text).is_some_and(|id| local(id) || access(id)),
                    Kind::Local => is_named(t.text, type_name),
                    _ => false,
                })
        });
        touching.map(|f| (crate::ir::lex::unescape(f.name), self.module.place_of_function(f))).collect()
    }
}

/// Is `%struct.NAME`, `%"class.ns::NAME"`, `%union.NAME.3` the IR type of this name?
pub(super) fn is_named(printed: &str, name: &str) -> bool {
    let plain = printed.trim_start_matches('%').trim_matches('"');
    let Some((_, rest)) = plain.split_once('.').filter(|(word, _)| matches!(*word, "struct" | "class" | "union"))
    else {
        return false;
    };
    let last = rest.rsplit("::").next().unwrap_or(rest);
    last == name
        || last.strip_prefix(name).is_some_and(|t| t.strip_prefix('.').is_some_and(|d| d.parse::<u32>().is_ok()))
}
