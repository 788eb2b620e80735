//! Functions of an object file as lists of instructions that can be compared.

use std::collections::{BTreeMap, HashMap};

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Formatter, Instruction, Mnemonic, NasmFormatter, OpKind};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SymbolKind};

/// A function.
pub(crate) struct Function {
    pub(crate) name: String,
    /// 16 bytes before the entry, where there are as many.
    pub(crate) prefix: Vec<u8>,
    /// Offset of the entry in its section.
    pub(crate) entry: u64,
    pub(crate) instructions: Vec<Instruction>,
    /// Text of each instruction, free of positions.
    pub(crate) text: Vec<String>,
    /// Relocation at `entry - 4`: name of its target's section.
    pub(crate) stub_target: Option<String>,
}

/// The functions of an object file, by name.
pub(crate) fn functions(object_file: &[u8]) -> BTreeMap<String, Function> {
    let file = object::File::parse(object_file).expect("valid ELF");
    let mut sized: BTreeMap<(usize, u64), (String, u64)> = BTreeMap::new();
    for symbol in file.symbols().filter(|s| s.kind() == SymbolKind::Text && s.size() > 0 && s.is_definition()) {
        let section = symbol.section_index().expect("defined").0;
        let name = symbol.name().expect("UTF-8").to_owned();
        // Of several names for one place, always the same one.
        let known = sized.entry((section, symbol.address())).or_insert((name.clone(), symbol.size()));
        known.0 = name.min(known.0.clone());
    }
    let mut targets: HashMap<usize, HashMap<u64, String>> = HashMap::new();
    let mut found = BTreeMap::new();
    for ((section, address), (name, size)) in &sized {
        let index = object::SectionIndex(*section);
        let section = file.section_by_index(index).expect("exists");
        let relocations = targets.entry(index.0).or_insert_with(|| relocations(&file, &section));
        let data = section.data().expect("readable");
        let (at, end) = (*address as usize, (*address + size) as usize);
        let prefix = data[at.saturating_sub(16)..at].to_vec();
        let instructions = decode(&data[at..end], *address);
        let text =
            text(&instructions, relocations, &|target| sized.get(&(index.0, target)).map(|(name, _)| name.clone()));
        let stub_target = relocations.get(&address.wrapping_sub(4)).cloned();
        let function = Function { name: name.clone(), prefix, entry: *address, instructions, text, stub_target };
        found.insert(name.clone(), function);
    }
    found
}

/// What each relocated place of a section refers to, as far as it has a name.
fn relocations(file: &object::File<'_>, section: &object::Section<'_, '_>) -> HashMap<u64, String> {
    let target = |relocation: &object::Relocation| match relocation.target() {
        RelocationTarget::Symbol(index) => {
            let symbol = file.symbol_by_index(index).expect("exists");
            let of = symbol.section_index().and_then(|of| file.section_by_index(of).ok());
            let of = of.map(|of| of.name().expect("UTF-8").to_owned()).unwrap_or_default();
            if symbol.kind() == SymbolKind::Section { of } else { symbol.name().expect("UTF-8").to_owned() }
        }
        _ => String::new(),
    };
    section.relocations().map(|(at, relocation)| (at, target(&relocation))).collect()
}

fn decode(bytes: &[u8], address: u64) -> Vec<Instruction> {
    Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).into_iter().collect()
}

/// Padding; a 2-byte `xchg ax,ax` is decoded as one too.
pub(crate) fn is_nop(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Nop
        || (instruction.code() == Code::Xchg_rm16_r16 && instruction.op0_register() == instruction.op1_register())
}

/// Target of a jump inside the section, if it is a jump with a fixed one.
pub(crate) fn jump_target(instruction: &Instruction) -> Option<u64> {
    let jump = matches!(
        instruction.flow_control(),
        FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch | FlowControl::XbeginXabortXend
    );
    (jump && matches!(instruction.op0_kind(), OpKind::NearBranch64)).then(|| instruction.near_branch64())
}

fn text(
    instructions: &[Instruction],
    relocations: &HashMap<u64, String>,
    function_at: &dyn Fn(u64) -> Option<String>,
) -> Vec<String> {
    // A jump over padding is a jump to what follows it.
    let mut order = HashMap::new();
    let mut count = 0;
    for instruction in instructions {
        order.insert(instruction.ip(), count);
        count += usize::from(!is_nop(instruction));
    }
    let relocated = |i: &Instruction| (i.ip()..i.next_ip()).find_map(|at| relocations.get(&at));
    let spell = |instruction: &Instruction| {
        let direct = matches!(instruction.op0_kind(), OpKind::NearBranch64);
        match relocated(instruction) {
            Some(target) => {
                let mut plain = *instruction;
                if direct {
                    plain.set_near_branch64(0);
                } else if instruction.is_ip_rel_memory_operand() {
                    plain.set_memory_displacement64(0);
                }
                format_one(&plain) + " -> " + target
            }
            None if direct => {
                let target = instruction.near_branch64();
                let to = match (order.get(&target), function_at(target)) {
                    (Some(place), _) if jump_target(instruction).is_some() => format!("#{place}"),
                    (_, Some(name)) => name,
                    (Some(_), None) | (None, None) => "elsewhere".to_owned(),
                };
                format!("{:?} {to}", instruction.mnemonic())
            }
            None if instruction.is_ip_rel_memory_operand() => {
                let to = function_at(instruction.ip_rel_memory_address()).unwrap_or_default();
                let mut plain = *instruction;
                plain.set_memory_displacement64(0);
                format_one(&plain) + " -> " + &to
            }
            None => format_one(instruction),
        }
    };
    instructions.iter().map(spell).collect()
}

fn format_one(instruction: &Instruction) -> String {
    let mut text = String::new();
    NasmFormatter::new().format(instruction, &mut text);
    text
}
