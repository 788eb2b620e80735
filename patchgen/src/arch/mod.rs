//! What belongs to one architecture: the only place with bytes of instructions, names of registers and assembly.

pub mod x86_64;
