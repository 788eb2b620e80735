//! Checks the record against the program text: every stub must be where the record says, and jump through the
//! slot it says.

use dsu_abi::stub::Dispatch;
use dsu_abi::symbols::SymbolKind;

use super::{Build, UnitSymbol};
use crate::arch::x86_64::{BEFORE, read_stub};
use crate::problem::{Problem, Reason, Result};

pub(super) fn check(build: &Build, shown: &str) -> Result<()> {
    for unit in &build.units {
        for symbol in unit.symbols.iter().filter(|s| s.is(SymbolKind::Function) && s.is_present()) {
            let bytes = build.entries.get(&symbol.address).map(Vec::as_slice).unwrap_or_default();
            if let Err(what) = check_one(symbol, bytes) {
                let message = format!("function `{}` of `{}`: {what}", symbol.name, unit.name);
                return Err(Problem::new(Reason::BaseCorrupt, shown, message));
            }
        }
    }
    Ok(())
}

fn check_one(symbol: &UnitSymbol, bytes: &[u8]) -> std::result::Result<(), &'static str> {
    if bytes.len() <= BEFORE as usize {
        return Err("its entry is outside the program text");
    }
    let found = read_stub(symbol.address, symbol.dispatch(), bytes).ok_or("there is no stub at its entry")?;
    match found {
        (_, slot) if slot != symbol.slot => Err("its stub does not jump through the recorded slot"),
        (id, _) if symbol.dispatch() == Dispatch::Armed && id != symbol.function_id => {
            Err("the id before its entry is not the recorded one")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use dsu_abi::stub;

    use super::*;

    fn symbol(dispatch: Dispatch) -> UnitSymbol {
        UnitSymbol {
            name: "f".into(),
            kind: SymbolKind::Function as u8,
            dispatch: dispatch as u8,
            linkage: 1,
            address: 0x1010,
            slot: 0x4000,
            function_id: 7,
            overridden: false,
        }
    }

    fn armed() -> Vec<u8> {
        let mut bytes = 7u64.to_le_bytes().to_vec();
        bytes.extend([0xcc, 0xcc, 0xff, 0x25]);
        bytes.extend((0x4000i32 - 0x1010).to_le_bytes());
        bytes.extend([0x90; 16]);
        bytes
    }

    #[test]
    fn a_stub_that_jumps_through_its_slot_is_accepted() {
        assert_eq!(check_one(&symbol(Dispatch::Armed), &armed()), Ok(()));
        let mut always = vec![0; 16];
        always.extend(stub::ENDBR64);
        always.extend([0xff, 0x25]);
        always.extend((0x4000i32 - 0x101a).to_le_bytes());
        always.extend([0; 6]);
        assert_eq!(check_one(&symbol(Dispatch::Always), &always), Ok(()));
    }

    #[test]
    fn any_other_byte_is_noticed() {
        for at in [0, 7, 10, 11, 12, 15] {
            let mut bytes = armed();
            bytes[at] ^= 1;
            assert!(check_one(&symbol(Dispatch::Armed), &bytes).is_err(), "byte {at}");
        }
        assert!(check_one(&symbol(Dispatch::Armed), &[]).is_err());
    }
}
