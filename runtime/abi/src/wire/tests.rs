use super::*;

const DONE: Done<'static> = Done {
    patch: "fix",
    checksum: [7; 32],
    generation: 3,
    already: false,
    reused: true,
    thread: true,
    complete: false,
    map_ns: 1,
    prepare_ns: u64::MAX,
    commit_ns: 3,
};

const TRANSITION: TransitionStatus =
    TransitionStatus { from: 1, to: 2, cancelled: true, elapsed_ns: 3, timeout_ms: 4, queued: false };
const THREAD: ThreadStatus<'static> = ThreadStatus {
    id: 1,
    name: "worker",
    generation: 2,
    since_ns: 3,
    blocker: Blocker::Inside,
    function: "parse",
    unit: "a.c",
    line: 4,
};

fn samples() -> [Packet<'static>; 12] {
    let failure = Failure { code: Code::Unresolved, errno: -1, subject: "no such symbol", detail: "é" };
    [
        Packet::Status,
        Packet::Apply(Apply { consistency: ConsistencyOverride::Thread, timeout_ms: 5, queue: true }),
        Packet::Revert(Revert { to_base: true, timeout_ms: 6 }),
        Packet::Process(ProcessStatus { pid: 9, generation: 2, images: 1, reclaimed: 7, code: 8, data: 3 }),
        Packet::Transition(TRANSITION),
        Packet::Thread(THREAD),
        Packet::Module(ModuleStatus { path: "", build_id: &[1; 20], dispatch: 3, functions: 5, points: 6, skipped: 7 }),
        Packet::Applied(AppliedPatch { name: "fix", checksum: [3; 32], generation: 1, depth: 2 }),
        Packet::Function(FunctionVersion { function: "parse", unit: "a.c", version: 2 }),
        Packet::Done(DONE),
        Packet::Failure(failure),
        Packet::End,
    ]
}

#[test]
fn every_kind_comes_back_as_written() {
    for packet in samples() {
        let mut buffer = [0; PACKET_MAX];
        assert_eq!(Packet::parse(packet.encode(&mut buffer)), Ok(packet));
    }
}

#[test]
fn cut_flipped_or_prolonged_packets_do_not_panic() {
    for packet in samples() {
        let mut buffer = [0; PACKET_MAX];
        let whole = packet.encode(&mut buffer).to_vec();
        for len in 0..whole.len() {
            assert!(Packet::parse(&whole[..len]).is_err(), "{packet:?} cut to {len}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(Packet::parse(&longer).is_err(), "{packet:?} with a byte more");
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Packet::parse(&flipped), Ok(packet), "bit {bit} is not covered");
        }
    }
}

#[test]
fn long_texts_are_clipped_between_characters() {
    let long = "é".repeat(TEXT_MAX);
    let mut buffer = [0; PACKET_MAX];
    let packet = Packet::Function(FunctionVersion { function: &long, unit: "a.c", version: 1 });
    let Ok(Packet::Function(read)) = Packet::parse(packet.encode(&mut buffer)) else { panic!("must parse") };
    assert_eq!((read.function.len(), read.unit.len()), (TEXT_MAX, 3));
}

#[test]
fn codes_have_distinct_numbers() {
    for (at, code) in Code::ALL.iter().enumerate() {
        assert_eq!(*code as usize, at + 1);
        assert_eq!(Code::from_number(*code as u16), Some(*code));
    }
}
