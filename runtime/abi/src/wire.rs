//! What `dsuctl` and the runtime say to each other over the process's `SOCK_SEQPACKET` socket.
//!
//! One packet is one message: magic, version, kind, length of the whole packet, then the fields of the kind. A
//! request is one packet (`Apply` carries the patch as a file descriptor); the answer is any number of packets and
//! ends with `End` or `Failure`. Texts are clipped to [`TEXT_MAX`] bytes, so that every message fits a packet.

mod code;
mod field;

use crate::cursor::{Cursor, FormatError, Result};
use field::{Field, Fill};

pub use code::Code;
pub use field::{PACKET_MAX, TEXT_MAX};

/// First bytes of a packet.
pub const MAGIC: [u8; 4] = *b"DSUw";
/// Version of the protocol.
pub const VERSION: u16 = 3;
/// Bytes of a packet's header.
pub const HEADER_SIZE: usize = 12;
/// Longest build-id in a packet.
pub const BUILD_ID_MAX: usize = crate::patch::BUILD_ID_MAX;

const CUT: &str = "message of the runtime is cut short";

/// The process as a whole; first packet of the answer to `Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Its number.
    pub pid: u32,
    /// Running number of the last apply or revert; 0 before the first.
    pub generation: u32,
    /// Patch objects in memory, applied or not.
    pub images: u32,
    /// Those of them whose code has been unmapped.
    pub reclaimed: u32,
    /// Bytes of patch code that is mapped.
    pub code: u64,
    /// Bytes of patch data and constants, which stay.
    pub data: u64,
}

/// An update that is moving threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransitionStatus {
    /// Generation that threads come from.
    pub from: u32,
    /// Generation they go to.
    pub to: u32,
    /// It was cancelled: threads go back.
    pub cancelled: bool,
    /// Nanoseconds since its commit.
    pub elapsed_ns: u64,
    /// Milliseconds until it is cancelled by itself; 0 for never.
    pub timeout_ms: u32,
    /// A further update waits for its end.
    pub queued: bool,
}

/// What keeps a thread from running the newest generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Blocker {
    /// Nothing: it does.
    Nothing = 0,
    /// It has reached no quiescence point since the update.
    NoPoint = 1,
    /// A changed function is on its stack.
    Inside = 2,
    /// It runs on a stack the runtime does not know (a coroutine's, a signal handler's).
    UnknownStack = 3,
    /// Neither has it reached a point, nor may its state be read from `/proc`.
    Unreadable = 4,
}

impl Blocker {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Nothing, Self::NoPoint, Self::Inside, Self::UnknownStack, Self::Unreadable];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|&blocker| blocker as u8 == number)
    }
}

/// A thread of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadStatus<'a> {
    /// Its number.
    pub id: u32,
    /// Its name, as `/proc/PID/task/ID/comm` has it.
    pub name: &'a str,
    /// Generation it runs.
    pub generation: u32,
    /// Nanoseconds since it moved there; 0 when unknown.
    pub since_ns: u64,
    /// What it waits for, or what waits for it.
    pub blocker: Blocker,
    /// For [`Blocker::Inside`]: the changed function, its unit and line; else empty and 0.
    pub function: &'a str,
    /// Its unit.
    pub unit: &'a str,
    /// Its line.
    pub line: u32,
}

/// Which consistency an apply takes, whatever the patch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ConsistencyOverride {
    /// No override: what the patch says.
    None = 0,
    /// `newest`.
    Newest = 1,
    /// `thread`.
    Thread = 2,
}

/// A request to apply the patch whose descriptor comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apply {
    /// Consistency.
    pub consistency: ConsistencyOverride,
    /// Milliseconds after which the update is cancelled if threads have not moved; 0 for never.
    pub timeout_ms: u32,
    /// While another update is moving threads: wait for it rather than be refused.
    pub queue: bool,
}

/// A request to take patches back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revert {
    /// To the base, rather than to the patch before.
    pub to_base: bool,
    /// As for [`Apply::timeout_ms`].
    pub timeout_ms: u32,
}

/// An instrumented module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleStatus<'a> {
    /// Path as the dynamic linker knows it; empty for the program itself.
    pub path: &'a str,
    /// GNU build-id; empty if it has none.
    pub build_id: &'a [u8],
    /// Bit 0: has units with dispatch `armed`; bit 1: with `always`.
    pub dispatch: u8,
    /// Updatable functions.
    pub functions: u32,
    /// Quiescence points.
    pub points: u32,
    /// Functions left alone.
    pub skipped: u32,
}

/// A patch of the module before it in the answer: the one in effect, or a former one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedPatch<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its checksum.
    pub checksum: [u8; 32],
    /// Generation it was applied as.
    pub generation: u32,
    /// 0: in effect; 1: the patch a revert goes back to; 2: the one before that; …
    pub depth: u32,
}

/// A function whose version is, or has just become, other than the base's - or the base's again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionVersion<'a> {
    /// Its name.
    pub function: &'a str,
    /// Its unit.
    pub unit: &'a str,
    /// Generation of the version that new calls run; 0 is the base.
    pub version: u32,
}

/// What an apply or revert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done<'a> {
    /// Name of the patch applied; empty for a revert.
    pub patch: &'a str,
    /// Its checksum; zero for a revert.
    pub checksum: [u8; 32],
    /// Generation reached.
    pub generation: u32,
    /// The patch was applied already: nothing was done.
    pub already: bool,
    /// The patch object was still in memory from an earlier apply.
    pub reused: bool,
    /// It is done with consistency `thread`.
    pub thread: bool,
    /// No thread has anything left to do: every call runs the new version.
    pub complete: bool,
    /// Nanoseconds for reading, checking and loading the file.
    pub map_ns: u64,
    /// Nanoseconds for checking the base and making its text writable.
    pub prepare_ns: u64,
    /// Nanoseconds from the first store until every core sees the last.
    pub commit_ns: u64,
}

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure<'a> {
    /// Why.
    pub code: Code,
    /// The system's error number, if one is behind it, else 0.
    pub errno: i32,
    /// The thing it is about.
    pub subject: &'a str,
    /// More about it.
    pub detail: &'a str,
}

impl Field<'_> for Blocker {
    fn put(&self, to: &mut Fill<'_>) {
        to.byte(*self as u8);
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        Self::from_number(from.u8()?).ok_or(FormatError("message has an unknown reason why a thread has not moved"))
    }
}

impl Field<'_> for ConsistencyOverride {
    fn put(&self, to: &mut Fill<'_>) {
        to.byte(*self as u8);
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        match from.u8()? {
            0 => Ok(Self::None),
            1 => Ok(Self::Newest),
            2 => Ok(Self::Thread),
            _ => Err(FormatError("message asks for an unknown consistency")),
        }
    }
}

/// The number of each kind, [`Packet`], its writer and its readers, from one table. The first of a group has no
/// fields. Fields are named in the order in which they are written; how each is written, its type says ([`Field`]).
macro_rules! packets {
    ($($group:ident { $(#[$head_doc:meta])* $head_kind:literal => $head:ident; $(
        $(#[$doc:meta])* $kind:literal => $packet:ident($body:ident $(<$life:lifetime>)? { $($field:ident),* }),
    )* })*) => {
        /// One message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Packet<'a> {
            $($(#[$head_doc])* $head, $($(#[$doc])* $packet($body $(<$life>)?),)*)*
        }

        impl Packet<'_> {
            /// Writes the fields; returns the kind.
            fn put(&self, to: &mut Fill<'_>) -> u16 {
                match self {
                    $(Self::$head => $head_kind, $(Self::$packet(body) => {
                        body.put(to);
                        $kind
                    })*)*
                }
            }
        }

        $(fn $group<'a>(kind: u16, from: &mut Cursor<'a>) -> Result<Option<Packet<'a>>> {
            Ok(Some(match kind {
                $head_kind => Packet::$head,
                $($kind => Packet::$packet(Field::get(from)?),)*
                _ => return Ok(None),
            }))
        })*

        $($(impl<'a> Field<'a> for $body $(<$life>)? {
            fn put(&self, to: &mut Fill<'_>) {
                $(self.$field.put(to);)*
            }

            fn get(from: &mut Cursor<'a>) -> Result<Self> {
                $(let $field = Field::get(from)?;)*
                Ok(Self { $($field),* })
            }
        })*)*
    };
}

packets! {
    request {
        /// Request: what is applied?
        1 => Status;
        /// Request: apply the patch whose file descriptor comes along.
        2 => Apply(Apply { consistency, queue, timeout_ms }),
        /// Request: back to the patch before, or to the base.
        3 => Revert(Revert { to_base, timeout_ms }),
    }
    answer {
        /// Answer: last packet.
        22 => End;
        /// Answer to `Status`, first packet.
        16 => Process(ProcessStatus { pid, generation, images, reclaimed, code, data }),
        /// Answer to `Status`, if there is one.
        23 => Transition(TransitionStatus { from, to, timeout_ms, elapsed_ns, cancelled, queued }),
        /// Answer to `Status`: a thread.
        24 => Thread(ThreadStatus<'a> { id, generation, line, since_ns, blocker, name, function, unit }),
        /// Answer to `Status`: a module.
        17 => Module(ModuleStatus<'a> { path, build_id, dispatch, functions, points, skipped }),
        /// Answer to `Status`: the patch of the last module.
        18 => Applied(AppliedPatch<'a> { name, checksum, generation, depth }),
        /// Answer: a function of the last module that is redirected, or that changed.
        19 => Function(FunctionVersion<'a> { function, unit, version }),
        /// Answer to `Apply` and `Revert`, first packet.
        20 => Done(Done<'a> {
            patch, checksum, generation, already, reused, thread, complete, map_ns, prepare_ns, commit_ns
        }),
        /// Answer: refused, nothing was changed. Last packet.
        21 => Failure(Failure<'a> { code, errno, subject, detail }),
    }
}

impl<'a> Packet<'a> {
    /// The packet's bytes, in `out`.
    pub fn encode<'b>(&self, out: &'b mut [u8; PACKET_MAX]) -> &'b [u8] {
        let mut fill = Fill { out, at: HEADER_SIZE };
        let kind = self.put(&mut fill);
        let end = fill.at;
        fill.at = 0;
        fill.bytes(&MAGIC);
        fill.bytes(&VERSION.to_le_bytes());
        fill.bytes(&kind.to_le_bytes());
        fill.bytes(&(end as u32).to_le_bytes());
        out.get(..end).unwrap_or(&[])
    }

    /// Reads a packet.
    pub fn parse(packet: &'a [u8]) -> Result<Self> {
        Self::read(packet, |kind, from| match request(kind, from)? {
            Some(request) => Ok(request),
            None => answer(kind, from)?.ok_or(FormatError("message of an unknown kind")),
        })
    }

    /// Reads a packet that a client sends. The runtime has no use for the others, and room for little code.
    pub fn parse_request(packet: &'a [u8]) -> Result<Self> {
        Self::read(packet, |kind, from| request(kind, from)?.ok_or(FormatError("message of an unexpected kind")))
    }

    fn read(packet: &'a [u8], body: impl FnOnce(u16, &mut Cursor<'a>) -> Result<Self>) -> Result<Self> {
        let mut c = Cursor::new(packet, CUT);
        if c.array::<4>()? != MAGIC {
            return Err(FormatError("message does not begin as one of this toolchain"));
        }
        if c.u16()? != VERSION {
            return Err(FormatError("message has an unknown version; use the dsuctl the program was built with"));
        }
        let kind = c.u16()?;
        if c.u32()? as usize != packet.len() {
            return Err(FormatError(CUT));
        }
        let read = body(kind, &mut c)?;
        if c.position() == packet.len() { Ok(read) } else { Err(FormatError("message is longer than it should be")) }
    }
}

#[cfg(test)]
mod tests;
