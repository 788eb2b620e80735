//#DsuArgs:--dsu-points=points.txt --dsu-outline-loops=off
//#RunTool:cat dsu.log
//#ToolReject:idle region around `fgets`
//#ToolReject:dsu_loop
//#ToolOut:idle region around `pthread_join` in `main`
//#ToolOut:quiescence point in `pool`: its outermost loop waits in `read`: the list says a thread starts in it
//#Send:go
//#Expect:served
//#RunTool:dsuctl status $PID --json
//#ToolOut:"points": 1
// The list takes a place away, and tells of a thread that another file would start.
#include "serve.h"
#include <unistd.h>

__attribute__((noinline)) void pool(int *from) {
    char byte;
    while (read(*from, &byte, 1) > 0)
        fputc(byte, stdout);
}

void handle(const char *line) {
    int ends[2];
    (void)line;
    if (pipe(ends) != 0 || write(ends[1], "served\n", 7) != 7)
        return;
    close(ends[1]);
    pool(ends);
    close(ends[0]);
}
