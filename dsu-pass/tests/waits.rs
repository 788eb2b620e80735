//! Where threads wait for work: what is found, and what only looks like it.

mod common;

use common::Bench;
use common::object::units;

const HEAD: &str = "
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
pthread_mutex_t m, other; pthread_cond_t c; volatile int ready, quit; int fd;
void work(int); void (*handlers[8])(int);
";

/// Compiles `source` and gives `KIND FUNCTION CALLEE` for each place, sorted.
fn places(source: &str, level: &str, list: &str) -> Vec<String> {
    let bench = Bench::new();
    bench.file("a.c", &format!("{HEAD}{source}"));
    let list = bench.file("list", list);
    bench.dsu(&format!("points={}", list.display()), &[level, "-w", "-c", "a.c"]);
    let unit = &units(&bench.read("a.o"))[0];
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let waits = unit.metadata["waits"].as_array().expect("a list").iter();
    let mut found: Vec<String> = waits
        .map(|w| format!("{} {} {}", text(&w["kind"]), text(&w["function"]), text(&w["callee"])).trim().to_owned())
        .collect();
    found.sort();
    // Unrolled loops have several.
    found.dedup();
    found
}

fn expect(source: &str, expected: &[&str]) {
    for level in ["-O0", "-O2"] {
        assert_eq!(places(source, level, ""), expected, "{level}: {source}");
    }
}

/// A thread's main function `t` with this body, started by `main`.
fn thread(body: &str) -> String {
    format!(
        "static void *t(void *a) {{ {body} return 0; }}
        int start(void) {{ pthread_t p; return pthread_create(&p, 0, t, 0); }}"
    )
}

#[test]
fn threads_and_main_wait_in_their_outermost_loop() {
    let events = "struct epoll_event e[8]; for (;;) { int n = epoll_wait(fd, e, 8, -1); while (n-- > 0) work(n); }";
    expect(&thread(events), &["idle t epoll_wait", "point t"]);
    expect(&format!("int main(void) {{ {events} }}"), &["idle main epoll_wait", "point main"]);
    let queue = "for (;;) { pthread_mutex_lock(&m); while (!ready) pthread_cond_wait(&c, &m); ready = 0;
        pthread_mutex_unlock(&m); work(1); }";
    expect(&thread(queue), &["idle t pthread_cond_wait", "point t"]);
    expect(&thread("while (!quit) { usleep(100); work(1); }"), &["idle t usleep", "point t"]);
    expect(
        &thread("while (!quit) { pthread_mutex_lock(&m); pthread_mutex_unlock(&m); work(1); }"),
        &["idle t pthread_mutex_lock", "point t"],
    );
    let connection = "char b[99]; while (read(*(int *)a, b, sizeof b) > 0) work(*b);";
    expect(&thread(connection), &["idle t read", "point t"]);
    let lines = "int main(void) { char b[99]; while (fgets(b, sizeof b, stdin)) work(*b); }";
    expect(lines, &["idle main fgets", "point main"]);
}

#[test]
fn through_functions_that_only_wait() {
    let loop_of_redis = "struct loop { int fd, stop; };
        __attribute__((noinline)) static int ask(struct loop *l, struct epoll_event *e) { return epoll_wait(l->fd, e, 8, -1); }
        __attribute__((noinline)) static int process(struct loop *l) { struct epoll_event e[8]; int n = ask(l, e);
            for (int i = 0; i < n; i++) handlers[i](n); return n; }
        void run(struct loop *l) { while (!l->stop) process(l); }";
    expect(loop_of_redis, &["idle ask epoll_wait", "point run"]);
    // Others may call `process` in the middle of their work, so the loop gets one of its own.
    let shared = loop_of_redis.replace("static int process", "int process");
    expect(&shared, &["idle ask.dsu_wait epoll_wait", "point run"]);
    let taken = "__attribute__((noinline)) static int take(void) { pthread_mutex_lock(&m);
        while (!ready) pthread_cond_wait(&c, &m); int r = ready; ready = 0; pthread_mutex_unlock(&m); return r; }";
    let worker = thread("for (;;) work(take());");
    expect(&format!("{taken} {worker}"), &["idle take pthread_cond_wait", "point t"]);
    expect(&format!("{taken} {worker} int elsewhere(void) {{ return take(); }}"), &["point t"]);
}

#[test]
fn main_waits_for_its_threads() {
    let main = "static void *t(void *a) { for (;;) { pause(); work(1); } }
        int main(void) { pthread_t p[4]; for (int i = 0; i < 4; i++) pthread_create(&p[i], 0, t, 0);
            for (int i = 0; i < 4; i++) pthread_join(p[i], 0); return 0; }";
    expect(main, &["idle main pthread_join", "idle t pause", "point t"]);
    expect("int main(void) { for (;;) pause(); }", &["idle main pause"]);
    expect("int main(void) { while (!quit) sleep(1); return 0; }", &["idle main sleep"]);
}

#[test]
fn an_event_loop_of_a_library() {
    let of_event = "int event_base_loop(void *, int); ";
    expect(&format!("{of_event} {}", thread("event_base_loop(a, 0);")), &["loop t event_base_loop"]);
    let elsewhere = "void *started_by_another_file(void *base) { return event_base_loop(base, 0) ? 0 : base; }";
    expect(&format!("{of_event} {elsewhere}"), &["loop started_by_another_file event_base_loop"]);
    let main = "int main(void) { while (!quit) if (event_base_loop(0, 1)) break; return 0; }";
    expect(&format!("{of_event} {main}"), &["loop main event_base_loop", "point main"]);
    let once = "int main(void) { while (!quit) { event_base_loop(0, 2); work(1); } return 0; }";
    expect(&format!("{of_event} {once}"), &[]);
    expect(&format!("{of_event} int rpc(void *b) {{ work(0); return event_base_loop(b, 0); }}"), &[]);
}

/// Each of these waits in the middle of something.
#[test]
fn a_wait_in_the_middle_of_an_operation_is_none() {
    let handler = "void handler(int f) { struct pollfd p = {f, POLLOUT}; for (int i = 0; i < 9; i++) {
        if (poll(&p, 1, 100) < 0) break; write(f, \"x\", 1); } }";
    let several =
        "void handler(struct pollfd *p, int n) { while (ready) { if (poll(p, n, 100) < 0) break; work(n); } }";
    let retry = "int ask(int f) { int n; do n = accept(f, 0, 0); while (n < 0 && errno == EINTR); return n; }";
    let condition = "void operation(void) { for (int i = 0; i < 9; i++) { pthread_mutex_lock(&m);
        while (!ready) pthread_cond_wait(&c, &m); pthread_mutex_unlock(&m); work(i); } }";
    let callback = "static void on_input(int f, short w, void *a) { char b[9]; while (read(f, b, 9) > 0) work(*b); }
        void *registered[] = { (void *)on_input };";
    let starting = "int main(void) { while (!ready) usleep(100); work(1); return 0; }";
    let started = "int main(void) { pthread_mutex_lock(&m); while (!ready) pthread_cond_wait(&c, &m);
        pthread_mutex_unlock(&m); work(1); return 0; }";
    let settings =
        "int main(void) { char b[99]; FILE *f = fopen(\"c\", \"r\"); while (fgets(b, sizeof b, f)) work(*b); }";
    let not_blocking = "int main(void) { struct epoll_event e; for (;;) { epoll_wait(fd, &e, 1, 0); work(1); } }";
    let threads = "void parallel(void) { pthread_t p; pthread_join(p, 0); }";
    for source in [handler, several, retry, condition, callback, starting, started, settings, not_blocking, threads] {
        expect(source, &[]);
    }
    // Taken for what it guards, not to sleep on it.
    expect(&thread("while (!quit) { pthread_mutex_lock(&m); ready++; pthread_mutex_unlock(&m); work(1); }"), &[]);
}

#[test]
fn of_several_waits_the_first_kind_is_for_work() {
    let server =
        "int main(void) { for (;;) { char b; int s = accept(fd, 0, 0); read(s, &b, 1); work(b); usleep(5); } }";
    expect(server, &["idle main accept", "point main"]);
    let retry = "int main(void) { int n = 0; while (!ready) { work(n); usleep(100); }
        for (;;) { int s = accept(fd, 0, 0); work(s); } }";
    expect(retry, &["idle main accept", "point main"]);
}

#[test]
fn no_place_while_a_lock_is_held() {
    let own = "pthread_mutex_lock(&m); while (!quit) { pthread_cond_wait(&c, &m); work(1); } pthread_mutex_unlock(&m);";
    expect(&thread(own), &["idle t pthread_cond_wait"]);
    let another = own.replacen("pthread_mutex_lock(&m)", "pthread_mutex_lock(&other); pthread_mutex_lock(&m)", 1);
    expect(&thread(&another), &[]);
    let around = "for (;;) { pthread_mutex_lock(&m); usleep(10); work(1); pthread_mutex_unlock(&m); }";
    expect(&thread(around), &["point t"]);
    let given_back = "pthread_mutex_lock(&m); while (!quit) { pthread_mutex_unlock(&m); usleep(9);
        pthread_mutex_lock(&m); work(1); }";
    expect(&thread(given_back), &["idle t usleep"]);
}

#[test]
fn the_list_adds_and_takes_away() {
    let source = "struct job { int fd; }; void serve(struct job *j) { char b; while (read(j->fd, &b, 1) > 0) work(b); }
        int main(void) { for (;;) { int s = accept(fd, 0, 0); work(s); } }";
    let all = ["idle main accept", "point main"];
    assert_eq!(places(source, "-O2", ""), all);
    let more = ["idle main accept", "idle serve read", "point main", "point serve"];
    assert_eq!(places(source, "-O2", "thread:serve # by another unit\n"), more);
    for list in ["-main", "-*", "-main:accept"] {
        assert!(places(source, "-O2", list).is_empty(), "{list}");
    }
    assert_eq!(places(source, "-O2", "-main:read\n-serve"), all);
}

#[test]
fn a_thread_without_a_place_is_named() {
    let bench = Bench::new();
    let lonely = thread("while (!quit) work(1);").replace("start(", "start_it(");
    bench
        .file("a.c", &format!("{HEAD}{lonely} int main(void) {{ for (;;) {{ int s = accept(fd, 0, 0); work(s); }} }}"));
    bench.dsu("log=log", &["-O2", "-g", "-c", "a.c"]);
    let metadata = &units(&bench.read("a.o"))[0].metadata;
    let expected = serde_json::json!([{ "function": "t", "started": "`start_it` starts a thread in it" }]);
    assert_eq!(metadata["nowhere"], expected);
    let log = String::from_utf8(bench.read("log")).expect("UTF-8");
    assert!(log.contains("a.c: no quiescence point found for `t` (`start_it` starts a thread in it)"), "{log}");
    assert!(log.contains("a.c:13: idle region around `accept` in `main`: its outermost loop waits here"), "{log}");
}

/// Where a function on the way is called by others too, only the loop's own copy of it has the idle region.
#[test]
fn a_shared_way_is_copied_for_the_loop() {
    let bench = Bench::new();
    let source = "struct loop { int fd, stop; };
        int process(struct loop *l) { struct epoll_event e[8]; int n = epoll_wait(l->fd, e, 8, -1);
            for (int i = 0; i < n; i++) handlers[i](n); return n; }
        void run(struct loop *l) { while (!l->stop) process(l); }";
    bench.file("a.c", &format!("{HEAD}{source}"));
    for (level, debug) in [("-O0", "-g"), ("-O2", "-g"), ("-O2", "-g0")] {
        bench.dsu("", &[level, debug, "-fno-inline", "-c", "a.c"]);
        let unit = &units(&bench.read("a.o"))[0];
        let context = dsu_pass::llvm::Context::new();
        let stored = context.parse(&unit.bitcode, "unit").expect("bitcode");
        assert_eq!(stored.verify(), Ok(()), "{level} {debug}");
        let callers = |name| stored.calls_of(name).iter().map(|call| call.caller().name()).collect::<Vec<_>>();
        assert_eq!(callers("epoll_wait"), ["process", "process.dsu_wait"], "{level} {debug}");
        assert_eq!(callers("__dsu_idle_begin"), ["process.dsu_wait"], "{level} {debug}");
        assert_eq!(callers("__dsu_idle_end"), ["process.dsu_wait"], "{level} {debug}");
        assert_eq!(callers("process.dsu_wait"), ["run.dsu_loop"], "{level} {debug}");
        assert!(callers("process").is_empty(), "{level} {debug}");
        assert!(unit.symbols.iter().any(|symbol| symbol.name == "process.dsu_wait" && symbol.function_id != 0));
    }
}

/// What is placed is in the stored bitcode, which patches are made of.
#[test]
fn a_patch_has_the_same_places() {
    let bench = Bench::new();
    let queue = "for (;;) { pthread_mutex_lock(&m); while (!ready) pthread_cond_wait(&c, &m); ready = 0;
        pthread_mutex_unlock(&m); work(1); }";
    bench.file("a.c", &format!("{HEAD}{}", thread(queue)));
    bench.dsu("", &["-O2", "-c", "a.c"]);
    let unit = &units(&bench.read("a.o"))[0];
    let context = dsu_pass::llvm::Context::new();
    let stored = context.parse(&unit.bitcode, "unit").expect("bitcode");
    for name in ["__dsu_quiescence_point", "__dsu_idle_begin", "__dsu_idle_end"] {
        assert_eq!(stored.calls_of(name).len(), 1, "{name}");
    }
    assert_eq!(stored.verify(), Ok(()));
}
