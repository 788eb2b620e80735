#include "serve.h"
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

static pthread_t wanderer;
static volatile int back;
static char stack[1 << 16];
static ucontext_t home, away;

__attribute__((noinline)) const char *answer(void) { return opaque("new"); }

static void abroad(void) {
    while (!back)
        usleep(1000);
    swapcontext(&away, &home);
}

static void *wander(void *unused) {
    prctl(PR_SET_NAME, "wanderer");
    answer();
    getcontext(&away);
    away.uc_stack.ss_sp = stack;
    away.uc_stack.ss_size = sizeof stack;
    makecontext(&away, abroad, 0);
    swapcontext(&home, &away);
    return unused;
}

void handle(const char *line) {
    if (is(line, "away")) {
        pthread_create(&wanderer, NULL, wander, NULL);
        usleep(100000);
    } else if (is(line, "back")) {
        back = 1;
        pthread_join(wanderer, NULL);
        puts("back");
        return;
    }
    puts(answer());
}
