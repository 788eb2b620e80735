//! The runtime in real processes, driven by `dsuctl`.

mod apply;
mod bad_input;
mod client;
mod fake;
mod hostile;
mod linked;
mod modules;
mod moving;
mod permission;
mod stress;
mod support;
mod surface;
mod survive;
mod tree;
mod waiting;
