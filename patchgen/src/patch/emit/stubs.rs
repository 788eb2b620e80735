//! Machine code that no module holds, as one assembly unit: for each redirected function its dispatch stub and
//! its original-code trampoline, and the control block that the stubs read ([`dsu_abi::patch::control`]).

use std::fmt::Write;

use dsu_abi::patch::control;

use crate::arch::x86_64::text::{CONTROL, dispatch_stub, function, into_base, on_behalf_of, properties, quoted};
use crate::build::Build;
use crate::build::libraries::{HANDLE, REGISTRARS, handle};
use crate::check::redirect::Redirect;
use crate::compare::resolve::{BaseKind, BaseSymbol};
use crate::patch::extract::Extracted;

/// Symbol of a function's dispatch stub.
pub(super) fn stub_symbol(body: &str) -> String {
    format!("{body}.transition")
}

/// Symbol of a function's original-code trampoline.
pub(super) fn trampoline_symbol(body: &str) -> String {
    format!("{body}.old")
}

/// The unit's text.
pub(super) fn assembly(base: &Build, extracted: &mut Extracted, redirects: &[Redirect]) -> String {
    let mut text = String::from("\t.section .note.GNU-stack,\"\",@progbits\n");
    text.push_str(&properties(redirects.iter().all(|r| r.arm_offset != 0)));
    let block = control::FUNCTIONS + redirects.len() as u64 * control::FUNCTION_SIZE;
    let mut data = format!("\t.data\n\t.p2align 3\n\t.hidden {CONTROL}\n\t.type {CONTROL},@object\n{CONTROL}:\n");
    let _ = writeln!(data, "\t.zero {block}\n\t.size {CONTROL},{block}");
    text.push_str("\t.text\n");
    for (index, redirect) in redirects.iter().enumerate() {
        let body = extracted.symbols.get(&redirect.definition).cloned().unwrap_or_default();
        let endbr = redirect.arm_offset != 0;
        if redirect.has_stub() {
            function(&mut text, &stub_symbol(&body), endbr, &dispatch_stub(index as u64));
        }
        if let Ok(trampoline) = &redirect.trampoline {
            let name = trampoline_symbol(&body);
            let base = quoted(&extracted.base_symbol(&redirect.base));
            let mut word = |label: &str, address: u64| {
                let distance = address.wrapping_sub(redirect.base.value) as i64;
                let label = quoted(&format!("{name}.{label}"));
                let _ = writeln!(data, "{label}:\n\t.quad {base}{distance:+}");
                label
            };
            let lines = into_base(trampoline, endbr, &mut word);
            function(&mut text, &name, endbr, &lines);
        }
    }
    registrars(base, extracted, redirects.iter().all(|r| r.arm_offset != 0), &mut text);
    text + &data
}

/// What the patch uses of the functions of which every module has its own: they speak for the base, so that what they registered
/// is done when the base ends, and not when a patch does.
fn registrars(base: &Build, extracted: &mut Extracted, endbr: bool, text: &mut String) {
    for registrar in REGISTRARS {
        if !extracted.external.contains_key(registrar.name) {
            continue;
        }
        let handle = handle(base).map(|found| {
            let (name, value) = (HANDLE.to_owned(), found.address);
            BaseSymbol { name, value, kind: BaseKind::Data, record: None, unit: String::new() }
        });
        let handle = handle.map(|handle| extracted.base_symbol(&handle));
        let lines = on_behalf_of(registrar.target, registrar.arguments, registrar.module, handle.as_deref());
        function(text, registrar.name, endbr, &lines);
    }
}
