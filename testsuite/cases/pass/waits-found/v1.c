//#RunTool:cat dsu.log
//#ToolOut:quiescence point in `serve_lines`: its outermost loop waits in `fgets`: `main` starts a thread in it
//#ToolOut:idle region around `fgets` in `serve_lines`: its outermost loop waits here for work
//#ToolOut:idle region around `pthread_join` in `main`: it waits for another thread's end
//#ToolOut:the body of a loop of `serve_lines` is `serve_lines.dsu_loop`
//#ToolOut:no quiescence point found for `lonely` (`handle` starts a thread in it)
//#ToolReject:idle region around `poll`
//#Send:go
//#Expect:3 1
//#RunTool:dsuctl status $PID --json
//#ToolOut:"points": 1
// Where threads wait for work is found; the poll in the middle of an answer is no such place.
#include "serve.h"
#include <poll.h>

static volatile int spins;

static void *lonely(void *unused) {
    for (int i = 0; i < 3; i++)
        spins++;
    return unused;
}

static __attribute__((noinline)) int output_is_ready(void) {
    struct pollfd output = {1, POLLOUT, 0};
    int ready;
    do
        ready = poll(&output, 1, 1000);
    while (ready < 0);
    return ready;
}

void handle(const char *line) {
    pthread_t thread;
    (void)line;
    if (pthread_create(&thread, NULL, lonely, NULL) == 0)
        pthread_join(thread, NULL);
    printf("%d %d\n", spins, output_is_ready());
}
