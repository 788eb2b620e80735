//! Edits that change no code: lines inserted, and definitions in another order.
use fastrand::Rng;

use super::change::{Edit, Source};
use super::lex::Kind;

/// Inserts blank lines and comments in one to three places.
pub fn lines(text: &str, rng: &mut Rng) -> Vec<Edit> {
    // A line that is continued must stay with its continuation; in a comment, the inserted lines are part of it.
    let ends = text.match_indices('\n').map(|(at, _)| at);
    let places: Vec<usize> = ends.filter(|at| !text[..*at].ends_with(['\\', '\r'])).map(|at| at + 1).collect();
    let mut chosen: Vec<usize> = (0..rng.usize(1..=3)).map(|_| places[rng.usize(0..places.len())]).collect();
    chosen.sort_unstable();
    chosen.dedup();
    let block = |rng: &mut Rng| ["\n", "// moved\n", "   \n"][rng.usize(0..3)].repeat(rng.usize(1..=9));
    chosen.into_iter().map(|at| (at..at, block(rng))).collect()
}

/// Exchanges two definitions or declarations that stand beside each other with no preprocessor line between them.
pub fn order(source: &Source<'_>, rng: &mut Rng) -> Vec<Edit> {
    let directive = |tokens: std::ops::Range<usize>| source.tokens[tokens].iter().any(|t| t.kind == Kind::Directive);
    let pairs: Vec<_> = source
        .items
        .windows(2)
        .filter(|pair| !directive(pair[0].tokens.start..pair[1].tokens.end))
        .filter(|pair| source.text[pair[0].at.clone()] != source.text[pair[1].at.clone()])
        .collect();
    let Some(pair) = (!pairs.is_empty()).then(|| pairs[rng.usize(0..pairs.len())]) else { return Vec::new() };
    let [first, second] = [&pair[0], &pair[1]].map(|item| item.at.clone());
    let text = |at: std::ops::Range<usize>| source.text[at].to_owned();
    vec![(first.clone(), text(second.clone())), (second, text(first))]
}

/// `text` with edits in it, which are in its order.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut new = text.to_owned();
    for (at, with) in edits.iter().rev() {
        new.replace_range(at.clone(), with);
    }
    new
}

#[cfg(test)]
mod tests {
    use super::super::lex;
    use super::*;

    #[test]
    fn lines_are_inserted_but_not_into_what_is_continued() {
        let text = "#define A \\\n 1\nint a;\n";
        for seed in 0..50 {
            let new = apply(text, &lines(text, &mut Rng::with_seed(seed)));
            assert!(new.contains("#define A \\\n 1\n") && new.len() > text.len(), "{new}");
        }
    }

    #[test]
    fn neighbours_change_places() {
        let text = "int a;\n/* of b */ int b(void) { return 1; }\n";
        let tokens = lex::tokens(text);
        let items = lex::items(text, &tokens);
        let source = Source { text, tokens: &tokens, items: &items };
        let new = apply(text, &order(&source, &mut Rng::with_seed(1)));
        assert_eq!(new, "int b(void) { return 1; }\n/* of b */ int a;\n");
    }
}
