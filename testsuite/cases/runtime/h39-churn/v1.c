//#Consistency:newest
//#ExpectClosure:left, right
//#Send:start
//#Expect:running
//#RunTool:i=0; while [ $i -lt 40 ]; do dsuctl apply $PID $PATCH >/dev/null; dsuctl revert $PID >/dev/null; i=$((i+1)); done
//#Send:check
//#Expect:nothing wrong
//#Update:v2
//#Send:stop
//#Expect:nothing wrong
// Three threads call without a pause while the program goes to v2 and back forty times.
// They reach no quiescence point, so consistency `thread` would wait for them.
#include "serve.h"
#include <unistd.h>

static volatile int stop, wrong;
static volatile int started;
static pthread_t threads[3];

__attribute__((noinline)) long left(long n) { return opaque_number(n * 3 + 1); } //#v2: __attribute__((noinline)) long left(long n) { return opaque_number(n * 7 + 4); }
__attribute__((noinline)) long right(long n) { return opaque_number(n * 5 + 2); } //#v2: __attribute__((noinline)) long right(long n) { return opaque_number(n * 11 + 6); }

static void *spin(void *unused) {
    __atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
    for (long n = 0; !stop; n = (n + 1) & 0xffff) {
        long a = left(n), b = right(n);
        if ((a != n * 3 + 1 && a != n * 7 + 4) || (b != n * 5 + 2 && b != n * 11 + 6))
            wrong = 1;
    }
    return unused;
}

void handle(const char *line) {
    if (is(line, "start")) {
        for (int i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, spin, NULL);
        while (started < 3)
            usleep(100);
        puts("running");
        return;
    }
    if (is(line, "stop")) {
        stop = 1;
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
    }
    puts(wrong ? "something wrong" : "nothing wrong");
}
