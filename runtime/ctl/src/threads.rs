//! Threads: what each waits for in an update, as documents and in words.

use std::time::Duration;

use dsu_abi::wire::{Blocker, ThreadStatus};
use serde_json::{Value, json};

use crate::style::Table;

/// How many threads are named in a sentence.
const NAMED: usize = 5;

/// A thread as a document.
pub(crate) fn describe(thread: &ThreadStatus<'_>) -> Value {
    let blocker = match thread.blocker {
        Blocker::Nothing => "moved",
        Blocker::NoPoint => "no-point",
        Blocker::Inside => "inside",
        Blocker::UnknownStack => "unknown-stack",
        Blocker::Unreadable => "unreadable",
    };
    let since = if thread.since_ns == 0 { Value::Null } else { thread.since_ns.into() };
    let mut document = json!({
        "id": thread.id, "name": thread.name, "generation": thread.generation, "since_ns": since, "standing": blocker,
        "words": words(thread),
    });
    if thread.blocker == Blocker::Inside {
        document["function"] = thread.function.into();
        document["unit"] = thread.unit.into();
        document["line"] = thread.line.into();
    }
    document
}

fn words(thread: &ThreadStatus<'_>) -> String {
    match thread.blocker {
        Blocker::Nothing => "moved".to_owned(),
        Blocker::NoPoint => "no quiescence point reached".to_owned(),
        Blocker::Inside if thread.line == 0 => format!("inside `{}` ({})", thread.function, thread.unit),
        Blocker::Inside => format!("inside `{}` ({}:{})", thread.function, thread.unit, thread.line),
        Blocker::UnknownStack => "on a stack of its own; register it with dsu_register_stack".to_owned(),
        Blocker::Unreadable => {
            "its state cannot be read: /proc is closed to the process, and it has reached no quiescence point"
                .to_owned()
        }
    }
}

/// All threads of a status.
pub(crate) fn of(status: &Value) -> &[Value] {
    status["threads"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Those that have not moved.
pub(crate) fn waiting(status: &Value) -> Vec<&Value> {
    of(status).iter().filter(|thread| thread["standing"] != "moved").collect()
}

/// "7 of 9 threads", those that have moved.
pub(crate) fn count(moved: usize, all: usize) -> String {
    format!("{moved} of {all} {}", if all == 1 { "thread" } else { "threads" })
}

/// The threads and what they wait for, in one line.
pub(crate) fn sentence(threads: &[&Value]) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |thread: &&Value| format!("`{}` ({}): {}", word(&thread["name"]), thread["id"], word(&thread["words"]));
    let mut named: Vec<String> = threads.iter().take(NAMED).map(one).collect();
    if threads.len() > NAMED {
        named.push(format!("and {} more", threads.len() - NAMED));
    }
    named.join(", ")
}

/// Threads in columns.
pub(crate) fn table(threads: &[&Value]) -> String {
    let mut table = Table::new(["  THREAD", "NAME", "GENERATION", "SINCE", "STATE"]);
    for thread in threads {
        let since = thread["since_ns"].as_u64().map_or("-".to_owned(), |ns| duration(Duration::from_nanos(ns)));
        let word = |field: &str| thread[field].as_str().unwrap_or_default().to_owned();
        let (id, generation) = (format!("  {}", thread["id"]), thread["generation"].to_string());
        table.row([id, word("name"), generation, since, word("words")]);
    }
    table.to_string()
}

/// A duration for people: no digits that nobody reads.
pub(crate) fn duration(duration: Duration) -> String {
    let shown = match duration.as_millis() {
        0 => Duration::from_micros(duration.as_micros() as u64),
        1..10_000 => Duration::from_millis(duration.as_millis() as u64),
        _ => Duration::from_secs(duration.as_secs()),
    };
    humantime::format_duration(shown).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREAD: ThreadStatus<'static> = ThreadStatus {
        id: 12,
        name: "worker",
        generation: 1,
        since_ns: 0,
        blocker: Blocker::Inside,
        function: "parse",
        unit: "a.c",
        line: 4,
    };

    #[test]
    fn every_blocker_has_words_of_its_own() {
        let said = Blocker::ALL.map(|blocker| words(&ThreadStatus { blocker, ..THREAD }));
        for (at, one) in said.iter().enumerate() {
            assert!(!said[..at].contains(one), "{one}");
        }
        assert_eq!(words(&ThreadStatus { line: 0, ..THREAD }), "inside `parse` (a.c)");
    }

    #[test]
    fn a_sentence_names_a_few_threads_and_counts_the_rest() {
        let threads: Vec<Value> = (0..7).map(|id| describe(&ThreadStatus { id, ..THREAD })).collect();
        let said = sentence(&threads.iter().collect::<Vec<_>>());
        assert!(said.starts_with("`worker` (0): inside `parse` (a.c:4), "), "{said}");
        assert!(said.ends_with("(4): inside `parse` (a.c:4), and 2 more"), "{said}");
    }

    #[test]
    fn durations_are_rounded_for_people() {
        let said = [1_500_000_123, 12_345, 90_400_000_000].map(|ns| duration(Duration::from_nanos(ns)));
        assert_eq!(said, ["1s 500ms", "12us", "1m 30s"]);
    }
}
