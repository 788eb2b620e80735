//! The wrappers as a user meets them: installed in a directory of their own, run as programs.

mod configure;
mod link;
mod own;
mod same_as_clang;
mod support;
