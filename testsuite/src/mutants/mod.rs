//! Mutants of real programs: one token of one unit is changed, the unit compiled again and the program linked anew, and
//! what `patchgen diff` says of it is held against an [`oracle`] that shares no code with it.
//!
//! | module | what |
//! |---|---|
//! | [`lex`] | tokens of C, and the definitions of a file |
//! | [`change`] | the table of changes of a token |
//! | [`shift`] | edits that change no code: lines inserted, definitions exchanged |
//! | [`programs`] | the programs, and how each is built |
//! | [`tree`] | a built program of which one unit at a time is compiled again |
//! | [`object`] | reads object files |
//! | [`oracle`] | which functions and data of two object files differ |
//! | [`answer`] | what patchgen says, held against that |
//! | [`trial`] | one mutant after the other |
//! | [`tally`] | what came out of many |
//!
//! # Who is right
//! The oracle looks at machine code behind all optimisation, so that inlining shows on both sides. Rules:
//! - A function or datum that both builds have and that differs, or a function or datum that is new, must be named by
//!   patchgen: among the changes, in the update set, or as the subject of a refusal. Else it is *missed*. This holds for
//!   refusals, too, unless they come before the comparison and name nothing: a person may accept the rest away.
//! - A constant that only its unit knows (a table, a `const` array) is part of the code that uses it, and a patch takes it along
//!   with that: it may be named itself, or all functions that use it.
//! - What is gone need not be named: nobody can refer to it without differing.
//! - Where the oracle sees no difference at all, patchgen must find none: a function that it names is *invented*. So is whatever
//!   it names in a unit that was not touched.
//! - Where there is some difference, patchgen may name more functions than the oracle. It compares IR, which says more than
//!   code: a promise about a result that no caller uses, a probability of a branch that moves no block. They are counted
//!   as *more*, for each costs an update.
//! - A refusal without any difference of code is counted by itself: types and sizes are seen in debug information only.
//! - With lines inserted, a function that differs is one that uses its line: patchgen has to name it, among the changes or
//!   among those that it passes over for it. Else it is *missed*.
//! - With definitions exchanged, code may differ by the order that the optimiser works in; then the first rule holds.
//! - A mutant that does not compile does not count.

pub mod answer;
pub mod change;
pub mod lex;
pub mod mode;
pub mod object;
pub mod oracle;
pub mod programs;
pub mod shift;
pub mod tally;
pub mod tree;
pub mod trial;
