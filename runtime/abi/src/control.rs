//! The control block of a patch object ([`crate::patch::Patch::control`]), by which the runtime tells dispatch stubs
//! where threads go. It is writable data of the patch object, 8-byte aligned: the words below, at their offsets in bytes,
//! then two words for each function, in the order of the function table: the addresses of two of its versions.
//! [`threshold`] tells which of the two is the newer one.
//!
//! The dispatch stub of function `i` reads them, with `r11` as its only register:
//! ```text
//! mov  control+THREAD(%rip), %r11
//! mov  %fs:(%r11), %r11            the thread's record
//! mov  (%r11), %r11                its state: bit 63 asks for the slow path, bits 0 to 31 are its generation
//! test %r11, %r11 ; js 2f
//! cmp  control+GENERATION(%rip), %r11d ; js 1f
//! jmp  *second_i(%rip)
//! 1: jmp *first_i(%rip)
//! 2: lea  first_i(%rip), %r11 ; jmp *control+GATE(%rip)
//! ```
//! The slow path finds out what the thread is at, then jumps through one of the two words that `r11` points at.
//!
//! A thread may be taken off its processor between its decision and its jump, and come back when that transition has
//! ended and the next one has begun. So words change sides: the version that was the newer one is the older one of the
//! next transition, and stays in its word. Before that word is used again the thread has had to pass a quiescence
//! point, and so to leave the stub.

/// Offset from the thread pointer of the word that points to the thread's record.
pub const THREAD: u64 = 0;
/// 32 bits: see [`threshold`].
pub const GENERATION: u64 = 8;
/// Address of the slow path.
pub const GATE: u64 = 16;
/// First word of the first function.
pub const FUNCTIONS: u64 = 24;
/// Bytes for each function.
pub const FUNCTION_SIZE: u64 = 16;

/// What stands at [`GENERATION`] when threads of generation `target` and above run the newer version, which is in
/// the second word, or in the first. Generations stay below 2^31.
pub const fn threshold(target: u32, newer_is_second: bool) -> u32 {
    if newer_is_second { target } else { target ^ 1 << 31 }
}

/// Whether a thread of that generation takes the second word: the sign of a difference, so that one compare and
/// one jump do in either case.
pub const fn takes_second(generation: u32, threshold: u32) -> bool {
    generation.wrapping_sub(threshold) >> 31 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_the_version_of_their_generation_from_whichever_word_holds_it() {
        for target in [1, 2, 1000, i32::MAX as u32] {
            for generation in [0, target - 1, target, (target + 1) & i32::MAX as u32] {
                let newer = generation >= target;
                assert_eq!(takes_second(generation, threshold(target, true)), newer);
                assert_eq!(takes_second(generation, threshold(target, false)), !newer);
            }
        }
    }
}
