//#Consistency:newest
//#ExpectClosure:mark
//#Send:start
//#Expect:running
//#Update:v2
//#Send:check
//#Expect:new marks
//#Revert
//#Send:check
//#Expect:old marks
//#Update:v2
//#Revert
//#Update:v2
//#Send:check
//#Expect:new marks
//#Send:stop
//#Expect:no wrong mark
// A timer's handler calls the updated function at any instruction of the program, 2000 times a second.
// With consistency `newest` only: the handler's calls end the idle region of the thread they interrupt.
#include "serve.h"
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static volatile int last, wrong, sink;

__attribute__((noinline)) int mark(int n) { return (int)opaque_number(n + 1); } //#v2: __attribute__((noinline)) int mark(int n) { return (int)opaque_number(n + 2); }

static void on_alarm(int number) {
    (void)number;
    int value = mark(10);
    if (value != 11 && value != 12)
        wrong = 1;
    last = value;
}

static void set_timer(long microseconds) {
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

void handle(const char *line) {
    if (is(line, "start")) {
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        sigaction(SIGALRM, &action, NULL);
        set_timer(500);
        puts("running");
    } else if (is(line, "check")) {
        last = 0;
        for (long i = 0; i < 20000 && !last; i++)
            for (int j = 0; j < 10000; j++)
                sink += mark(j);
        puts(last == 11 ? "old marks" : last == 12 ? "new marks" : "none");
    } else {
        set_timer(0);
        puts(wrong ? "a wrong mark" : "no wrong mark");
    }
}
