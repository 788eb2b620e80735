//! Random differential test: csmith writes programs, [`mutate`] changes them, and an updated process must print what
//! a fresh one of the new version prints. patchgen may refuse; it may not be wrong.
//!
//! Each round runs in a forked child (see `round.h`), so a round always begins with the state the process was
//! started with: what a live process prints after its update is comparable with what a fresh one prints, and the
//! optimiser is left everything it can make of the program.
//!
//! | module | what |
//! |---|---|
//! | [`program`] | csmith's text, taken apart into globals, functions and main |
//! | [`token`] | numbers, operators and calls within a function |
//! | [`mutate`] | the table of changes, each a small edit of a [`program::Program`] |
//! | `places` | where something small can be changed |
//! | [`edit`] | the changes themselves: signatures, functions, statics |
//! | [`trial`] | one program: built, started, updated to each of its mutants, compared |
//! | [`tally`] | what came out of many of them |

pub mod edit;
pub mod mutate;
mod places;
pub mod program;
pub mod tally;
pub mod token;
pub mod trial;
