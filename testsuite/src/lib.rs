//! The harness: builds small C programs with the toolchain, updates them while they run, and compares what they
//! say with what plain clang's builds of the same sources say. It knows the tools only as processes.
//!
//! | module | what |
//! |---|---|
//! | [`directive`] | the table of directives a case is written in: name -> meaning -> parser |
//! | [`config`] | what a case says, as data |
//! | [`edits`] | versions that are written beside the first one, line by line |
//! | [`case`] | finds the cases, resolves configs and their inheritance |
//! | [`tools`] | where the tools under test are |
//! | [`process`] | runs a command with a time limit and remembers it for the report |
//! | [`churn`] | updates a process again and again, and looks at what stays behind |
//! | [`live`] | a program under test, driven line by line while it runs |
//! | [`build`] | the builds of a case: plain and instrumented, old and new |
//! | [`expectation`] | what plugin and patchgen must have said about them |
//! | [`script`] | the steps with the live process |
//! | [`oracle`] | the answers of fresh, plain builds |
//! | [`runner`] | one test from start to end |
//! | [`programs`] | programs whose threads watch what an update does to them |
//! | [`identity`] | patches that replace every function by a copy of itself |
//! | [`real`] | real programs: built, put under load, updated |
//! | [`corpus`] | consecutive releases, each step patched or refused, and checked |
//! | [`mutants`] | real programs with one token changed, and an oracle for what differs |
//! | [`random`] | programs of csmith's and their mutants |

pub mod build;
pub mod case;
pub mod churn;
pub mod config;
pub mod corpus;
pub mod directive;
pub mod edits;
pub mod expectation;
pub mod identity;
pub mod live;
pub mod mutants;
pub mod oracle;
pub mod process;
pub mod programs;
pub mod random;
pub mod real;
pub mod runner;
pub mod script;
pub mod tools;
