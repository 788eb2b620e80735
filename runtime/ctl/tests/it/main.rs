//! The runtime in real processes, driven by `dsuctl`.

mod apply;
mod support;
