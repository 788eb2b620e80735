//! What `dsuctl` and the runtime say to each other over the process's `SOCK_SEQPACKET` socket.
//!
//! One packet is one message: magic, version, kind, length of the whole packet, then the fields of the kind. A
//! request is one packet (`Apply` carries the patch as a file descriptor); the answer is any number of packets and
//! ends with `End` or `Failure`. Texts are clipped to [`TEXT_MAX`] bytes, so that every message fits a packet.

mod fill;

use crate::cursor::{Cursor, FormatError, Result};
use fill::Fill;

/// First bytes of a packet.
pub const MAGIC: [u8; 4] = *b"DSUw";
/// Version of the protocol.
pub const VERSION: u16 = 3;
/// Bytes of a packet's header.
pub const HEADER_SIZE: usize = 12;
/// No packet is longer.
pub const PACKET_MAX: usize = 4096;
/// No text in a packet is longer.
pub const TEXT_MAX: usize = 1024;
/// Longest build-id in a packet.
pub const BUILD_ID_MAX: usize = crate::patch::BUILD_ID_MAX;

const CUT: &str = "message of the runtime is cut short";

/// Why the runtime (or `dsuctl` in its place) refused. The numbers are part of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Code {
    /// The request was not understood.
    BadRequest = 1,
    /// The peer is neither root nor the process's user.
    NotPermitted = 2,
    /// The patch file could not be read.
    PatchUnreadable = 3,
    /// The patch file is damaged: cut short, checksum wrong, tables inconsistent. Subject: what.
    PatchDamaged = 4,
    /// The patch is for another machine.
    WrongMachine = 5,
    /// The patch has a format this runtime does not know.
    UnknownVersion = 6,
    /// No loaded module has the build-id the patch is for.
    WrongBuildId = 7,
    /// A function of the patch is not in the base as described. Subject: its name; detail: what differs.
    FunctionMismatch = 8,
    /// The dynamic linker could not load the patch. Subject: its message.
    Unresolved = 9,
    /// The program's text may not be written.
    TextNotWritable = 10,
    /// The kernel cannot make all cores see new code.
    NoBarrier = 11,
    /// No patch is applied.
    NothingApplied = 12,
    /// A limit of the runtime or the system. Subject: which.
    OutOfResources = 13,
    /// The process was forked while its parent was loading a patch; its dynamic linker may be locked for ever.
    ForkedInUpdate = 14,
    /// A reference of the patch to the base cannot be made. Subject: the symbol; detail: why.
    BadReference = 15,
    /// The process does not see `/proc`, through which a patch is handed to its dynamic linker.
    NoProc = 16,
    /// An update is still moving threads; revert it, or ask to be queued.
    TransitionInProgress = 17,
    /// Consistency `thread` needs a way into the old version that the patch does not have. Subject: the function.
    NoOldWay = 18,
    /// The patch's own hook said no. Subject: the hook.
    Vetoed = 19,
    /// A variable that an earlier patch added is another one in this patch. Subject: its name.
    CarriedDiffers = 20,
    /// Consistency `thread` needs quiescence points, and no module of the process has any.
    NoPoints = 21,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 21] = [
        Self::BadRequest,
        Self::NotPermitted,
        Self::PatchUnreadable,
        Self::PatchDamaged,
        Self::WrongMachine,
        Self::UnknownVersion,
        Self::WrongBuildId,
        Self::FunctionMismatch,
        Self::Unresolved,
        Self::TextNotWritable,
        Self::NoBarrier,
        Self::NothingApplied,
        Self::OutOfResources,
        Self::ForkedInUpdate,
        Self::BadReference,
        Self::NoProc,
        Self::TransitionInProgress,
        Self::NoOldWay,
        Self::Vetoed,
        Self::CarriedDiffers,
        Self::NoPoints,
    ];

    fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|&code| code as u16 == number)
    }
}

/// The process as a whole; first packet of the answer to `Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
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
pub struct Transition {
    /// Generation that threads come from.
    pub from: u32,
    /// Generation they go to.
    pub to: u32,
    /// It takes back an update that was still moving threads.
    pub turned_back: bool,
    /// Nanoseconds since its commit.
    pub elapsed_ns: u64,
    /// Milliseconds until it turns back by itself; 0 for never.
    pub timeout_ms: u32,
    /// A further update waits for its end.
    pub queued: bool,
}

/// Where a thread stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Standing {
    /// It runs the newest generation.
    Moved = 0,
    /// It has reached no quiescence point since the update.
    NoPoint = 1,
    /// A changed function is on its stack.
    Inside = 2,
    /// It runs on a stack the runtime does not know (a coroutine's, a signal handler's).
    UnknownStack = 3,
    /// Neither has it reached a point, nor may its state be read from `/proc`.
    Unreadable = 4,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Moved, Self::NoPoint, Self::Inside, Self::UnknownStack, Self::Unreadable];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|&standing| standing as u8 == number)
    }
}

/// A thread of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread<'a> {
    /// Its number.
    pub id: u32,
    /// Its name, as `/proc/PID/task/ID/comm` has it.
    pub name: &'a str,
    /// Generation it runs.
    pub generation: u32,
    /// Nanoseconds since it moved there; 0 when unknown.
    pub since_ns: u64,
    /// Where it stands.
    pub standing: Standing,
    /// For [`Standing::Inside`]: the changed function, its unit and line; else empty and 0.
    pub function: &'a str,
    /// Its unit.
    pub unit: &'a str,
    /// Its line.
    pub line: u32,
}

/// Which consistency an apply asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Wish {
    /// What the patch says.
    Patch = 0,
    /// `newest`.
    Newest = 1,
    /// `thread`.
    Thread = 2,
}

/// A request to apply the patch whose descriptor comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apply {
    /// Consistency.
    pub wish: Wish,
    /// Milliseconds after which the update turns back if threads have not moved; 0 for never.
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
pub struct Module<'a> {
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
pub struct Applied<'a> {
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
pub struct Redirect<'a> {
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

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Request: what is applied?
    Status,
    /// Request: apply the patch whose file descriptor comes along.
    Apply(Apply),
    /// Request: back to the patch before, or to the base.
    Revert(Revert),
    /// Answer to `Status`, first packet.
    Process(Process),
    /// Answer to `Status`, if there is one.
    Transition(Transition),
    /// Answer to `Status`: a thread.
    Thread(Thread<'a>),
    /// Answer to `Status`: a module.
    Module(Module<'a>),
    /// Answer to `Status`: the patch of the last module.
    Applied(Applied<'a>),
    /// Answer: a function of the last module that is redirected, or that changed.
    Redirect(Redirect<'a>),
    /// Answer to `Apply` and `Revert`, first packet.
    Done(Done<'a>),
    /// Answer: refused, nothing was changed. Last packet.
    Failure(Failure<'a>),
    /// Answer: last packet.
    End,
}

impl<'a> Packet<'a> {
    fn kind(&self) -> u16 {
        match self {
            Self::Status => 1,
            Self::Apply(_) => 2,
            Self::Revert(_) => 3,
            Self::Process(_) => 16,
            Self::Module(_) => 17,
            Self::Applied(_) => 18,
            Self::Redirect(_) => 19,
            Self::Done(_) => 20,
            Self::Failure(_) => 21,
            Self::End => 22,
            Self::Transition(_) => 23,
            Self::Thread(_) => 24,
        }
    }

    /// The packet's bytes, in `out`.
    pub fn encode<'b>(&self, out: &'b mut [u8; PACKET_MAX]) -> &'b [u8] {
        let mut f = Fill { out, at: HEADER_SIZE };
        match self {
            Self::Status | Self::End => {}
            Self::Apply(a) => {
                f.put(&[a.wish as u8, a.queue.into()]);
                f.words(&[a.timeout_ms]);
            }
            Self::Revert(r) => {
                f.put(&[r.to_base.into()]);
                f.words(&[r.timeout_ms]);
            }
            Self::Process(p) => {
                f.words(&[p.pid, p.generation, p.images, p.reclaimed]);
                f.longs(&[p.code, p.data]);
            }
            Self::Transition(t) => {
                f.words(&[t.from, t.to, t.timeout_ms]);
                f.longs(&[t.elapsed_ns]);
                f.put(&[t.turned_back.into(), t.queued.into()]);
            }
            Self::Thread(t) => {
                f.words(&[t.id, t.generation, t.line]);
                f.longs(&[t.since_ns]);
                f.put(&[t.standing as u8]);
                for text in [t.name, t.function, t.unit] {
                    f.text(text);
                }
            }
            Self::Module(m) => {
                f.text(m.path);
                f.bytes(m.build_id, BUILD_ID_MAX);
                f.put(&[m.dispatch]);
                f.words(&[m.functions, m.points, m.skipped]);
            }
            Self::Applied(a) => {
                f.text(a.name);
                f.put(&a.checksum);
                f.words(&[a.generation, a.depth]);
            }
            Self::Redirect(r) => {
                f.text(r.function);
                f.text(r.unit);
                f.words(&[r.version]);
            }
            Self::Done(d) => {
                f.text(d.patch);
                f.put(&d.checksum);
                f.words(&[d.generation]);
                f.put(&[d.already, d.reused, d.thread, d.complete].map(u8::from));
                f.longs(&[d.map_ns, d.prepare_ns, d.commit_ns]);
            }
            Self::Failure(e) => {
                f.words(&[u32::from(e.code as u16), e.errno as u32]);
                f.text(e.subject);
                f.text(e.detail);
            }
        }
        let end = f.at;
        f.at = 0;
        f.put(&MAGIC);
        f.put(&VERSION.to_le_bytes());
        f.put(&self.kind().to_le_bytes());
        f.put(&(end as u32).to_le_bytes());
        out.get(..end).unwrap_or(&[])
    }

    /// Reads a packet.
    pub fn parse(packet: &'a [u8]) -> Result<Self> {
        Self::read(packet, |kind, c| match request(kind, c)? {
            Some(request) => Ok(request),
            None => answer(kind, c, packet),
        })
    }

    /// Reads a packet that a client sends. The runtime has no use for the others, and room for little code.
    pub fn parse_request(packet: &'a [u8]) -> Result<Self> {
        Self::read(packet, |kind, c| request(kind, c)?.ok_or(FormatError("message of an unexpected kind")))
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

fn request<'a>(kind: u16, c: &mut Cursor<'a>) -> Result<Option<Packet<'a>>> {
    Ok(Some(match kind {
        1 => Packet::Status,
        2 => Packet::Apply(Apply { wish: wish(c)?, queue: flag(c)?, timeout_ms: c.u32()? }),
        3 => Packet::Revert(Revert { to_base: flag(c)?, timeout_ms: c.u32()? }),
        _ => return Ok(None),
    }))
}

fn answer<'a>(kind: u16, c: &mut Cursor<'a>, packet: &'a [u8]) -> Result<Packet<'a>> {
    Ok(match kind {
        16 => Packet::Process(Process {
            pid: c.u32()?,
            generation: c.u32()?,
            images: c.u32()?,
            reclaimed: c.u32()?,
            code: c.u64()?,
            data: c.u64()?,
        }),
        17 => Packet::Module(Module {
            path: text(c, packet)?,
            build_id: bytes(c, packet, BUILD_ID_MAX)?,
            dispatch: c.u8()?,
            functions: c.u32()?,
            points: c.u32()?,
            skipped: c.u32()?,
        }),
        18 => {
            let name = text(c, packet)?;
            Packet::Applied(Applied { name, checksum: c.array()?, generation: c.u32()?, depth: c.u32()? })
        }
        19 => Packet::Redirect(Redirect { function: text(c, packet)?, unit: text(c, packet)?, version: c.u32()? }),
        20 => Packet::Done(Done {
            patch: text(c, packet)?,
            checksum: c.array()?,
            generation: c.u32()?,
            already: flag(c)?,
            reused: flag(c)?,
            thread: flag(c)?,
            complete: flag(c)?,
            map_ns: c.u64()?,
            prepare_ns: c.u64()?,
            commit_ns: c.u64()?,
        }),
        21 => {
            let code = u16::try_from(c.u32()?).ok().and_then(Code::from_number);
            Packet::Failure(Failure {
                code: code.ok_or(FormatError("message has an unknown error code"))?,
                errno: c.u32()? as i32,
                subject: text(c, packet)?,
                detail: text(c, packet)?,
            })
        }
        22 => Packet::End,
        23 => Packet::Transition(Transition {
            from: c.u32()?,
            to: c.u32()?,
            timeout_ms: c.u32()?,
            elapsed_ns: c.u64()?,
            turned_back: flag(c)?,
            queued: flag(c)?,
        }),
        24 => Packet::Thread(thread(c, packet)?),
        _ => return Err(FormatError("message of an unknown kind")),
    })
}

fn thread<'a>(c: &mut Cursor<'a>, packet: &'a [u8]) -> Result<Thread<'a>> {
    let (id, generation, line, since_ns) = (c.u32()?, c.u32()?, c.u32()?, c.u64()?);
    let standing = Standing::from_number(c.u8()?).ok_or(FormatError("message has an unknown standing of a thread"))?;
    let (name, function, unit) = (text(c, packet)?, text(c, packet)?, text(c, packet)?);
    Ok(Thread { id, name, generation, since_ns, standing, function, unit, line })
}

fn wish(c: &mut Cursor<'_>) -> Result<Wish> {
    match c.u8()? {
        0 => Ok(Wish::Patch),
        1 => Ok(Wish::Newest),
        2 => Ok(Wish::Thread),
        _ => Err(FormatError("message asks for an unknown consistency")),
    }
}

fn bytes<'a>(c: &mut Cursor<'a>, packet: &'a [u8], max: usize) -> Result<&'a [u8]> {
    let len = usize::from(c.u16()?);
    if len > max {
        return Err(FormatError("message holds a text that is too long"));
    }
    let found = crate::cursor::slice(packet, c.position() as u64, len as u64, CUT)?;
    for _ in 0..len {
        c.u8()?;
    }
    Ok(found)
}

fn flag(c: &mut Cursor<'_>) -> Result<bool> {
    match c.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(FormatError("message holds a flag that is neither set nor clear")),
    }
}

fn text<'a>(c: &mut Cursor<'a>, packet: &'a [u8]) -> Result<&'a str> {
    core::str::from_utf8(bytes(c, packet, TEXT_MAX)?).map_err(|_| FormatError("message holds text that is not UTF-8"))
}

#[cfg(test)]
mod tests;
