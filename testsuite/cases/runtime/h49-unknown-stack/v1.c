//#Consistency:thread
//#ExpectClosure:answer
//#Send:away
//#Expect:old
//#RunTool:dsuctl apply $PID $PATCH --consistency thread --no-wait
//#RunTool:sleep 0.3; dsuctl status $PID --threads
//#ToolOut:on a stack of its own; register it with dsu_register_stack
//#Send:ask
//#RunTool:dsuctl status $PID --json
//#ToolOut:"unknown-stack"
//#NoOracle:whether the thread on line 1 has moved shows in its answer
//#Send:back
//#Expect:back
//#RunTool:timeout 10 dsuctl status $PID --watch
//#Send:ask
//#Expect:new
// A thread on a stack that nobody made known may have old frames anywhere: it is never moved, and it is said why.
#include "serve.h"
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

static pthread_t wanderer;
static volatile int back;
static char stack[1 << 16];
static ucontext_t home, away;

__attribute__((noinline)) const char *answer(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *answer(void) { return opaque("new"); }

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
