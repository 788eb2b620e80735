//! A runtime that plays a script: this test process listens on its own socket and answers as told. So dsuctl's words,
//! waiting and exit codes are tested for states that a real process is in for microseconds only.

use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use dsu_abi::wire::{
    AppliedPatch, Apply, Blocker, ConsistencyOverride, Done, ModuleStatus, PACKET_MAX, Packet, ProcessStatus, Revert,
    ThreadStatus, TransitionStatus,
};
use rustix::net::{AddressFamily, RecvAncillaryBuffer, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use serde_json::Value;

use crate::support::Lab;

/// What was asked, without what belongs to one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The how-manyth question for the status it is.
    Status(usize),
    Apply(Apply),
    Revert(Revert),
}

/// The fake runtime, and a lab for patch files.
pub(crate) struct Fake {
    pub(crate) lab: Lab,
    pub(crate) patch: PathBuf,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Answers as `script` says; it is given the checksum of the lab's patch `fix`.
    pub(crate) fn new(mut script: impl FnMut(Asked, [u8; 32]) -> Vec<Packet<'static>> + Send + 'static) -> Self {
        let lab = Lab::new(&[]);
        let patch = lab.patch("fix", &[], |_| {});
        let bytes = std::fs::read(&patch).expect("just written");
        let checksum = dsu_abi::file::open(&bytes).expect("just written").patch.checksum;
        let listener = listen(&lab.sockets().join(format!("{}.sock", std::process::id())));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut looks = 0;
            while let Ok(connection) = rustix::net::accept(&listener) {
                let Some(request) = receive(&connection, &mut looks) else { continue };
                log.lock().expect("no panic while locked").push(request);
                for packet in script(request, checksum).iter().chain([&Packet::End]) {
                    let mut buffer = [0; PACKET_MAX];
                    // The client may have had enough.
                    let _sent = rustix::net::send(&connection, packet.encode(&mut buffer), SendFlags::NOSIGNAL);
                }
            }
        });
        Self { lab, patch, asked }
    }

    /// What it was asked so far, without questions for the status.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().expect("no panic while locked");
        asked.iter().copied().filter(|asked| !matches!(asked, Asked::Status(_))).collect()
    }

    /// `dsuctl WORDS`, where `PID` and `PATCH` stand for what they say.
    pub(crate) fn command(&self, words: &str) -> Command {
        let pid = std::process::id().to_string();
        let word = |word| match word {
            "PID" => pid.clone(),
            "PATCH" => self.patch.to_str().expect("UTF-8").to_owned(),
            word => word.to_owned(),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsuctl"));
        command.args(words.split(' ').map(word)).env("DSU_RUNTIME_DIR", self.lab.sockets()).env("NO_COLOR", "1");
        command
    }

    /// Runs it: exit code, stdout, stderr.
    pub(crate) fn run(&self, words: &str) -> (i32, String, String) {
        said(&self.command(words).output().expect("dsuctl was just built"))
    }

    /// Starts it without a terminal.
    pub(crate) fn start(&self, words: &str) -> Child {
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("dsuctl was just built")
    }

    /// Runs it with a terminal as stderr: exit code and what the terminal showed.
    pub(crate) fn run_on_a_terminal(&self, words: &str) -> (i32, String) {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("the machine has terminals");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("ours");
        let name = ptsname(&terminal, Vec::new()).expect("it has a name").into_string().expect("ASCII");
        let end = std::fs::File::options().read(true).write(true).open(name).expect("unlocked");
        let size = rustix::termios::Winsize { ws_row: 24, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&end, size).expect("a terminal has a size");
        let mut child = self.command(words).env("TERM", "xterm").stdout(Stdio::null()).stderr(end).spawn();
        let code = child.as_mut().expect("dsuctl was just built").wait().expect("our child").code();
        let mut shown = Vec::new();
        // Ends with an error once nobody has the other end open.
        let _closed = std::fs::File::from(terminal).read_to_end(&mut shown);
        (code.expect("not killed"), String::from_utf8_lossy(&shown).into_owned())
    }
}

/// Exit code, stdout and stderr of a finished dsuctl.
pub(crate) fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    (output.status.code().expect("not killed"), text(&output.stdout), text(&output.stderr))
}

/// What a `--json` printed.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn listen(path: &std::path::Path) -> OwnedFd {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let socket = socket.expect("sockets can be made");
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).expect("short")).expect("a directory of our own");
    rustix::net::listen(&socket, 16).expect("bound");
    socket
}

fn receive(connection: &OwnedFd, looks: &mut usize) -> Option<Asked> {
    let mut buffer = [0; PACKET_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [std::io::IoSliceMut::new(&mut buffer)];
    let received = rustix::net::recvmsg(connection, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC).ok()?;
    let files = control.drain().count();
    match Packet::parse(&buffer[..received.bytes]).ok()? {
        Packet::Status => {
            *looks += 1;
            Some(Asked::Status(*looks - 1))
        }
        Packet::Apply(apply) => {
            assert_eq!(files, 1, "an apply brings its patch");
            Some(Asked::Apply(apply))
        }
        Packet::Revert(revert) => Some(Asked::Revert(revert)),
        other => panic!("dsuctl asks {other:?}"),
    }
}

/// The answer to an apply as generation 1 with threads left to move.
pub(crate) const BEGUN: Done<'static> = Done {
    patch: "fix",
    checksum: [0; 32],
    generation: 1,
    already: false,
    reused: false,
    thread: true,
    complete: false,
    map_ns: 1,
    prepare_ns: 1,
    commit_ns: 1,
};
/// An apply without wishes.
pub(crate) const PLAIN: Apply = Apply { consistency: ConsistencyOverride::None, timeout_ms: 0, queue: false };

/// An update on its way from generation 0 to 1.
pub(crate) const MOVING: TransitionStatus =
    TransitionStatus { from: 0, to: 1, cancelled: false, elapsed_ns: 40_000_000, timeout_ms: 0, queued: false };

const WORKER: ThreadStatus<'static> = ThreadStatus {
    id: 71,
    name: "worker",
    generation: 0,
    since_ns: 0,
    blocker: Blocker::Inside,
    function: "parse",
    unit: "a.c",
    line: 12,
};
const MOVED: ThreadStatus<'static> = ThreadStatus {
    id: 70,
    name: "main",
    generation: 1,
    since_ns: 3_000_000,
    blocker: Blocker::Nothing,
    function: "",
    unit: "",
    line: 0,
};

/// A status: its transition if it is in one, and the patches it has, the one in effect first.
pub(crate) fn status(
    moving: Option<TransitionStatus>,
    patches: &[(&'static str, [u8; 32], u32)],
) -> Vec<Packet<'static>> {
    status_of(patches.first().map_or(0, |(_, _, generation)| *generation), moving, patches)
}

/// The same, of a process whose generation is not that of its patch.
pub(crate) fn status_of(
    generation: u32,
    moving: Option<TransitionStatus>,
    patches: &[(&'static str, [u8; 32], u32)],
) -> Vec<Packet<'static>> {
    let process = ProcessStatus { pid: 0, generation, images: 2, reclaimed: 1, code: 4096, data: 64 };
    let mut packets = vec![Packet::Process(process)];
    packets.extend(moving.map(Packet::Transition));
    let worker = if moving.is_some() { WORKER } else { ThreadStatus { id: 71, name: "worker", ..MOVED } };
    packets.extend([Packet::Thread(MOVED), Packet::Thread(worker)]);
    let module =
        ModuleStatus { path: "/bin/server", build_id: &[7; 20], dispatch: 1, functions: 5, points: 2, skipped: 0 };
    packets.push(Packet::Module(module));
    packets.extend(patches.iter().zip(0..).map(|(&(name, checksum, generation), depth)| {
        Packet::Applied(AppliedPatch { name, checksum, generation, depth })
    }));
    packets
}
