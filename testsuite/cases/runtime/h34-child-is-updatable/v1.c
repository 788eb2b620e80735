//#NoOracle:the child is updated, not its parent
//#Send:fork
//#Send:ask
//#Expect:old
//#RunTool:dsuctl apply --consistency newest $(cat child.pid) $PATCH
//#Send:ask
//#Expect:new
//#Send:self
//#Expect:old
//#RunTool:dsuctl revert $(cat child.pid)
//#Send:ask
//#Expect:old
//#RunTool:dsuctl ps --json | grep -w $(cat child.pid)
//#Send:end
//#Expect:ended
//#RunTool:dsuctl status $(cat child.pid)
//#ToolExit:10
// After fork the child has a thread and a socket of its own, as a daemon has.
#include "serve.h"
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) char work(void) { return *opaque("old"); } //#v2: __attribute__((noinline)) char work(void) { return *opaque("new"); }

static int to_child[2], from_child[2];
static pid_t child;

static void child_loop(void) {
    char byte;
    while (read(to_child[0], &byte, 1) == 1) {
        byte = work();
        if (write(from_child[1], &byte, 1) != 1)
            break;
    }
    exit(0);
}

void handle(const char *line) {
    char byte = 0;
    if (is(line, "fork")) {
        if (pipe(to_child) || pipe(from_child))
            abort();
        child = fork();
        if (child == 0) {
            close(to_child[1]);
            child_loop();
        }
        FILE *file = fopen("child.pid", "w");
        fprintf(file, "%d\n", (int)child);
        fclose(file);
    } else if (is(line, "self")) {
        puts(work() == 'o' ? "old" : "new"); //#v2: puts(work() == 'o' ? "new" : "new");
    } else if (is(line, "ask")) {
        if (write(to_child[1], "?", 1) != 1 || read(from_child[0], &byte, 1) != 1)
            puts("broken");
        else
            puts(byte == 'o' ? "old" : "new"); //#v2: puts(byte == 'o' ? "new" : "new");
    } else {
        close(to_child[1]);
        waitpid(child, NULL, 0);
        puts("ended");
    }
}
