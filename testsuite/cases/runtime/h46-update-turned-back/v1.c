//#Consistency:thread
//#NoOracle:the update is turned back
//#ExpectClosure:answer
//#Send:spin
//#Expect:old
//#RunTool:dsuctl apply $PID $PATCH --consistency thread --timeout 1500ms
//#ToolError:40 `spin` (
//#Send:ask
//#Expect:old
//#RunTool:timeout --foreground --preserve-status -s INT 1 dsuctl apply $PID $PATCH --consistency thread
//#ToolError:130 goes on: `dsuctl status
//#RunTool:dsuctl status $PID --threads
//#ToolOut:no quiescence point reached
//#ApplyFails:v2 34 --queue
//#RunTool:dsuctl revert $PID
//#ToolOut:reverted
//#Send:ask
//#Expect:old
//#Send:rest
//#Expect:rested
//#RunTool:dsuctl apply $PID $PATCH --consistency thread
//#ToolOut:threads moved, the last after
//#Send:ask
//#Expect:new
// A thread that reaches no point keeps an update waiting: a timeout turns it back, Ctrl-C lets it go on, a revert ends it.
#include "serve.h"
#include <sys/prctl.h>

static pthread_t spinner;
static volatile int stop;

__attribute__((noinline)) const char *answer(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *answer(void) { return opaque("new"); }

static void *spin(void *unused) {
    prctl(PR_SET_NAME, "spin");
    while (!stop)
        answer();
    return unused;
}

void handle(const char *line) {
    if (is(line, "spin")) {
        pthread_create(&spinner, NULL, spin, NULL);
    } else if (is(line, "rest")) {
        stop = 1;
        pthread_join(spinner, NULL);
        puts("rested");
        return;
    }
    puts(answer());
}
