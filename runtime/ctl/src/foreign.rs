//! What a process says may be anything: its name, the paths and functions it tells. No control character of it reaches a
//! terminal.

use serde_json::Value;

/// A text that is safe to show.
pub(crate) fn text(text: &str) -> String {
    text.chars().map(|c| if is_shown(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Neither C0 and C1 controls, nor what turns the direction of a line.
fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same for every text in a document.
pub(crate) fn document(mut value: Value) -> Value {
    clean(&mut value);
    value
}

fn clean(value: &mut Value) {
    match value {
        Value::String(said) if !said.chars().all(is_shown) => *said = text(said),
        Value::Array(list) => list.iter_mut().for_each(clean),
        Value::Object(fields) => fields.values_mut().for_each(clean),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let evil = "\u{1b}[2J\u{1b}]52;c;cm0gLXJmIC8K\u{7}a\u{9b}31m\r\nb\u{202e}c\u{7f}";
        let shown = text(evil);
        assert!(shown.chars().all(is_shown) && shown.contains('a') && shown.contains('c'), "{shown:?}");
        let document = document(serde_json::json!({ "a": [evil, 7], "b": { "c": evil } }));
        assert!(document.to_string().chars().all(is_shown), "{document}");
        assert_eq!(text("r\u{e9}dis, 7 µs"), "r\u{e9}dis, 7 µs");
    }
}
