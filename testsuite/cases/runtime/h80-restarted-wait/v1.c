//#Consistency:thread
//#ExpectClosure:tick, version
//#Send:start
//#Expect:running
//#Update:v2
//#Send:version
//#Expect:new 2
//#Revert
//#Send:version
//#Expect:old 1
//#Update:v2
//#Send:version
//#Expect:new 2
//#Send:stop
//#Expect:stopped
// A thread waits for work in a call that a timer's handler interrupts 3000 times a second, and that goes on by itself each
// time (SA_RESTART). The handler calls an updated function; the thread waits as before, and is moved there.
#define _GNU_SOURCE
#define SERVE_OWN_MAIN
#include "serve.h"
#include <dsu.h>
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static int work[2];
static volatile long ticks;

__attribute__((noinline)) int tick(void) { return (int)opaque_number(1); } //#v2: __attribute__((noinline)) int tick(void) { return (int)opaque_number(2); }

__attribute__((noinline)) const char *version(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *version(void) { return opaque("new"); }

static void on_alarm(int number) {
    int saved = errno;
    (void)number;
    ticks += tick();
    errno = saved;
}

static void mask(int how) {
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(how, &alarm, NULL);
}

static void *wait_for_work(void *unused) {
    char byte;
    (void)unused;
    mask(SIG_UNBLOCK);
    for (;;) {
        DSU_IDLE_BEGIN();
        long got = read(work[0], &byte, 1);
        DSU_IDLE_END();
        if (got != 1)
            return NULL;
        ticks += tick();
    }
}

static pthread_t waiter;

void handle(const char *line) {
    if (is(line, "start")) {
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        struct itimerval timer = {{0, 300}, {0, 300}};
        if (pipe(work) != 0 || pthread_create(&waiter, NULL, wait_for_work, NULL) != 0)
            exit(1);
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &timer, NULL);
        puts("running");
    } else if (is(line, "stop")) {
        struct itimerval never = {{0, 0}, {0, 0}};
        setitimer(ITIMER_REAL, &never, NULL);
        close(work[1]);
        pthread_join(waiter, NULL);
        puts("stopped");
    } else {
        printf("%s %d\n", version(), tick());
    }
}

int main(void) {
    mask(SIG_BLOCK);
    return serve();
}
