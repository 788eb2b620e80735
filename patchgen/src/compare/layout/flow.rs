//! Can each object of a type be followed from where a function makes it to where it ends, or does it get out of sight?
//!
//! Objects are made on the stack or by an allocator. In sight are accesses through their address, and calls of
//! functions that are declared to take the type. The address of an array of bytes within an object is that of the bytes
//! alone: who is handed it knows them by their number, and nothing of what is around them. Everything else - a store
//! of the address, a copy of the bytes to or from untyped memory, a pointer of the type that was read from memory -
//! is out of sight.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::reach::{Nodes, Reach, is_named};
use crate::ir::Function;
use crate::ir::debug::Place;
use crate::ir::debug::number;
use crate::ir::header::split_commas;
use crate::ir::lex::{Kind, tokens};
use crate::ir::line::{Line, value};

/// Functions of the C library that move bytes they know nothing about.
const COPIES: [&str; 8] = ["memcpy", "memmove", "mempcpy", "memccpy", "bcopy", "wmemcpy", "realloc", "reallocarray"];
const ALLOCATORS: [&str; 3] = ["malloc", "calloc", "aligned_alloc"];

/// Functions that take the type by pointer: which of their IR parameters, or `None` when not known.
pub(super) type Takers = BTreeMap<String, Option<Vec<usize>>>;

/// What was lost from sight, and where.
pub(super) type Lost = (String, Option<Place>);

/// One function that has to do with a type.
pub(super) struct Flow<'f, 'm, 'a> {
    nodes: &'f Nodes<'m, 'a>,
    takers: &'f Takers,
    in_program: &'f dyn Fn(&str) -> bool,
    lines: Vec<Line<'a>>,
    defined: BTreeMap<&'a str, usize>,
    /// Parameters of the function that are declared to be pointers to it.
    own: BTreeSet<&'a str>,
    /// Where it has arrays of bytes, in bytes from its start.
    arrays: &'f [Range<u64>],
}

/// A record that says where a variable is.
struct Record<'a> {
    variable: &'a str,
    operand: &'a str,
    value: bool,
    dereferenced: bool,
    pointer: bool,
    parameter: bool,
    inlined: bool,
}

impl<'f, 'm, 'a> Flow<'f, 'm, 'a> {
    /// Of the objects of a type in one function of its base; `None` when all stay in sight.
    pub(super) fn lost(
        nodes: &'f Nodes<'m, 'a>,
        reach: &Reach,
        name: &str,
        takers: &'f Takers,
        in_program: &'f dyn Fn(&str) -> bool,
        arrays: &'f [Range<u64>],
        function: &Function<'a>,
    ) -> Option<Lost> {
        let body = function.body.unwrap_or_default();
        let lines = Line::all(body);
        let defined = lines.iter().enumerate().filter_map(|(n, l)| Some((l.result?, n))).collect();
        let records = records(nodes, reach, body);
        let own = records.iter().filter(|r| r.pointer && r.parameter && !r.inlined).map(|r| value(r.operand));
        let parameters = function.parameters();
        let copies = parameters.iter().filter(|p| p.contains("byval(") || p.contains("sret(")).map(|p| value(p));
        let own = own.chain(copies).filter(|v| v.starts_with('%')).collect();
        let flow = Flow { nodes, takers, in_program, lines, defined, own, arrays };
        flow.run(&records, name).err()
    }

    fn run(&self, records: &[Record<'a>], name: &str) -> Result<(), Lost> {
        let mut roots: BTreeSet<&'a str> = self.own.clone();
        for line in self.lines.iter().filter(|l| l.opcode() == "alloca") {
            if line.tokens.iter().any(|t| t.kind == Kind::Local && is_named(t.text, name)) {
                roots.extend(line.result);
            }
        }
        self.dissolved(records)?;
        for record in records {
            let address = record.pointer || !record.value || record.dereferenced;
            if record.pointer && !record.value {
                return Err(("a pointer to it is kept in memory".into(), None));
            }
            for operand in tokens(record.operand).filter(|t| address && matches!(t.kind, Kind::Local | Kind::Global)) {
                self.trace(operand.text, &mut roots)?;
            }
        }
        for line in &self.lines {
            let Some((Some(callee), arguments)) = line.call() else { continue };
            let Some(which) = self.takers.get(callee) else { continue };
            for (number, argument) in arguments.iter().enumerate() {
                let taken = which.as_ref().is_none_or(|w| w.contains(&number)) && argument.starts_with("ptr");
                if taken {
                    self.trace(value(argument), &mut roots)?;
                }
            }
        }
        self.follow(roots)
    }

    /// Objects that the optimiser took apart: on the stack that is fine, anywhere else nothing is known.
    fn dissolved(&self, records: &[Record<'a>]) -> Result<(), Lost> {
        let gone =
            |r: &Record<'_>| r.pointer && !(r.parameter && r.inlined) && matches!(value(r.operand), "poison" | "undef");
        let known = |r: &Record<'_>| records.iter().any(|o| o.variable == r.variable && !gone(o));
        if records.iter().any(|r| gone(r) && !known(r)) {
            return Err(("the compiler dissolved a pointer to it".into(), None));
        }
        let made = |name: &str| {
            let global = self.nodes.module.global_named(name);
            global.is_some_and(|g| !g.constant && g.linkage == "internal" && g.debug().is_none())
        };
        let used = |l: &&Line<'a>| l.tokens.iter().any(|t| t.kind == Kind::Global && made(t.name()));
        match self.lines.iter().find(used).filter(|_| !records.is_empty()) {
            Some(line) => Err(("the compiler made a variable of an object".into(), self.place(line))),
            None => Ok(()),
        }
    }

    fn place(&self, line: &Line<'a>) -> Option<Place> {
        let node = line.text.split("!dbg ").nth(1).and_then(|t| number(t.split([',', ' ']).next()?))?;
        let location = self.nodes.node(node)?;
        let scope = self.nodes.module.subprogram(location.get("scope")?)?;
        Some(Place { file: self.nodes.module.file_of(&scope), line: u32::try_from(location.number("line")).ok()? })
    }

    /// Back from a pointer of the type to the objects it may point at.
    fn trace(&self, from: &'a str, roots: &mut BTreeSet<&'a str>) -> Result<(), Lost> {
        let (mut queue, mut seen) = (vec![from], BTreeSet::new());
        while let Some(name) = queue.pop() {
            if matches!(name, "null" | "poison" | "undef") || self.own.contains(name) || !seen.insert(name) {
                continue;
            }
            let lost = |what: &str, line: Option<&Line<'a>>| Err((what.to_owned(), line.and_then(|l| self.place(l))));
            let Some(line) = self.defined.get(name).map(|n| &self.lines[*n]) else {
                return lost("a pointer to it comes from a parameter or variable of another type", None);
            };
            let operands = line.operands();
            match line.opcode() {
                "alloca" => drop(roots.insert(name)),
                "getelementptr" => queue.extend(operands.get(1).map(|o| value(o))),
                "freeze" | "bitcast" => {
                    queue.extend(operands.first().map(|o| value(o.split(" to ").next().unwrap_or(o))))
                }
                "select" => queue.extend(operands.iter().skip(1).take(2).map(|o| value(o))),
                "phi" => {
                    let edges = line.text.split('[').skip(1).filter_map(|e| e.split(',').next());
                    queue.extend(edges.map(value));
                }
                "call" | "invoke" if self.allocates(line) => drop(roots.insert(name)),
                "load" => return lost("a pointer to it is read from memory", Some(line)),
                _ => return lost("a pointer to it comes from somewhere else", Some(line)),
            }
        }
        Ok(())
    }

    fn allocates(&self, line: &Line<'a>) -> bool {
        line.call().and_then(|(callee, _)| callee).is_some_and(|c| ALLOCATORS.contains(&c) && !(self.in_program)(c))
    }

    /// Forward from the objects to every use of their addresses.
    fn follow(&self, roots: BTreeSet<&'a str>) -> Result<(), Lost> {
        let (mut known, mut inside) = (roots.clone(), BTreeSet::new());
        loop {
            let before = known.len() + inside.len();
            for line in &self.lines {
                if self.is_inside(line, &roots, &inside) {
                    inside.extend(line.result);
                    continue;
                }
                let uses = line.tokens.iter().skip(usize::from(line.result.is_some()));
                let of = |known: &BTreeSet<&str>| uses.clone().any(|t| t.kind == Kind::Local && known.contains(t.text));
                let comes_out = line.opcode() == "getelementptr" && of(&inside);
                if comes_out || of(&known) {
                    self.one_use(line, &mut known)?;
                }
            }
            if known.len() + inside.len() == before {
                return Ok(());
            }
        }
    }

    /// Whether it computes an address within an array of bytes: from the start of an object, or from another one forward.
    fn is_inside(&self, line: &Line<'a>, roots: &BTreeSet<&'a str>, inside: &BTreeSet<&'a str>) -> bool {
        let operands: Vec<&str> = line.operands().into_iter().filter(|operand| !operand.starts_with('!')).collect();
        let ("getelementptr", [kind, base, index]) = (line.opcode(), &operands[..]) else { return false };
        let number = value(index).parse::<i64>().ok();
        if inside.contains(value(base)) {
            return number.is_none_or(|number| number >= 0);
        }
        let offset = number.and_then(|number| u64::try_from(number).ok()).filter(|_| kind.ends_with("i8"));
        let in_array = offset.is_some_and(|offset| self.arrays.iter().any(|array| array.contains(&offset)));
        in_array && roots.contains(value(base))
    }

    fn one_use(&self, line: &Line<'a>, known: &mut BTreeSet<&'a str>) -> Result<(), Lost> {
        let holds = |text: &str| tokens(text).any(|t| t.kind == Kind::Local && known.contains(t.text));
        let lost = |what: String| Err((what, self.place(line)));
        let operands = line.operands();
        match line.opcode() {
            "getelementptr" | "phi" | "select" | "freeze" | "bitcast" => {
                known.extend(line.result);
                Ok(())
            }
            "load" | "icmp" | "alloca" => Ok(()),
            "store" if !operands.first().is_some_and(|o| holds(o)) => Ok(()),
            "store" => lost("its address is stored".into()),
            "call" | "invoke" => match line.call() {
                Some((Some(callee), arguments)) => match self.handed(callee, &arguments, known) {
                    Some(what) => lost(what),
                    None => Ok(()),
                },
                _ => lost("it is handed to a function that is called through a pointer, or to assembly".into()),
            },
            "ret" => lost("its address is returned".into()),
            other => lost(format!("its address is used by `{other}`")),
        }
    }

    /// Why an object must not be handed to this function.
    fn handed(&self, callee: &str, arguments: &[&'a str], known: &BTreeSet<&'a str>) -> Option<String> {
        let holds = |text: &str| tokens(text).any(|t| t.kind == Kind::Local && known.contains(t.text));
        let copy = ["llvm.memcpy.", "llvm.memmove."].iter().any(|p| callee.starts_with(p));
        if copy {
            let constant = |a: &str| {
                value(a).strip_prefix('@').and_then(|n| self.nodes.module.global_named(n)).is_some_and(|g| g.constant)
            };
            let both = arguments.iter().take(2).all(|a| holds(a) || constant(a));
            return (!both).then(|| "its bytes are copied to or from memory of another type".into());
        }
        if callee.starts_with("llvm.") || self.takers.contains_key(callee) {
            return None;
        }
        if (self.in_program)(callee) {
            return Some(format!("it is handed to `{callee}` as something else"));
        }
        COPIES.contains(&callee).then(|| format!("its bytes are copied by `{callee}`"))
    }

    /// Its IR parameters that point to the type.
    pub(super) fn parameters(nodes: &Nodes<'m, 'a>, reach: &Reach, function: &Function<'a>) -> Option<Vec<usize>> {
        let records = records(nodes, reach, function.body.unwrap_or_default());
        let own: BTreeSet<&str> =
            records.iter().filter(|r| r.pointer && r.parameter && !r.inlined).map(|r| value(r.operand)).collect();
        let declared = nodes.subprogram(function).map(|s| nodes.signature(s)).unwrap_or_default();
        let pointers = |t: &usize| reach.types.contains(t) && !reach.by_value.contains(t);
        let wanted = declared.into_iter().skip(1).flatten().filter(pointers).count();
        let all = function.parameters();
        let found: Vec<usize> = (0..all.len()).filter(|n| own.contains(value(all[*n]))).collect();
        (found.len() == wanted).then_some(found)
    }
}

/// Records of variables that are of the type or point to it.
fn records<'a>(nodes: &Nodes<'_, 'a>, reach: &Reach, body: &'a str) -> Vec<Record<'a>> {
    let mut out = Vec::new();
    for line in body.lines() {
        let Some((kind, rest)) = line.trim_start().strip_prefix("#dbg_").and_then(|l| l.split_once('(')) else {
            continue;
        };
        let items = split_commas(rest.trim_end().strip_suffix(')').unwrap_or(rest));
        let variable = items.get(1).and_then(|i| number(i)).and_then(|id| nodes.node(id));
        let Some(variable) = variable.filter(|v| v.kind == "DILocalVariable") else { continue };
        let Some(kind_of) = variable.get("type").and_then(number).filter(|t| reach.types.contains(t)) else { continue };
        let inlined = items.last().and_then(|i| number(i)).and_then(|id| nodes.node(id));
        let inlined = inlined.is_some_and(|l| l.get("inlinedAt").is_some());
        let expression = items.get(2).copied().unwrap_or_default();
        let mut push = |operand: &'a str, value: bool| {
            out.push(Record {
                variable: items[1],
                operand,
                value,
                dereferenced: expression.contains("DW_OP_deref"),
                pointer: !reach.by_value.contains(&kind_of),
                parameter: variable.number("arg") != 0,
                inlined,
            });
        };
        match kind {
            "value" => push(items[0], true),
            "assign" => {
                push(items[0], true);
                // A pointer variable that is assigned in memory was a slot of its own; by now it is a value.
                if let Some(address) = items.get(4).filter(|_| reach.by_value.contains(&kind_of)) {
                    push(address, false);
                }
            }
            _ => push(items[0], false),
        }
    }
    out
}
