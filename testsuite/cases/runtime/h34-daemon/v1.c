//#NoOracle:the daemon is updated, not who started it
//#ExpectClosure:level
//#Send:start
//#Expect:started
//#RunTool:dsuctl apply $(cat daemon.pid) $PATCH
//#Send:ask
//#Expect:2
//#RunTool:dsuctl revert $(cat daemon.pid)
//#Send:ask
//#Expect:1
//#Send:stop
//#Expect:stopped
// daemon(3): fork, new session, stdin and stdout closed, and the parent leaves by _exit.
#include "serve.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) char level(void) { return *opaque("1"); } //#v2: __attribute__((noinline)) char level(void) { return *opaque("2"); }

static int ask = -1, answer = -1;

static void be_daemon(void) {
    char byte;
    if (daemon(1, 0) != 0)
        _exit(1);
    FILE *file = fopen("daemon.tmp", "w");
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
    rename("daemon.tmp", "daemon.pid");
    int in = open("ask", O_RDONLY), out = open("answer", O_WRONLY);
    while (read(in, &byte, 1) == 1) {
        byte = level();
        if (write(out, &byte, 1) != 1)
            break;
    }
    exit(0);
}

void handle(const char *line) {
    char byte = '?';
    if (is(line, "start")) {
        mkfifo("ask", 0600);
        mkfifo("answer", 0600);
        pid_t child = fork();
        if (child == 0)
            be_daemon();
        waitpid(child, NULL, 0);
        ask = open("ask", O_WRONLY);
        answer = open("answer", O_RDONLY);
        puts("started");
    } else if (is(line, "ask")) {
        if (write(ask, &byte, 1) != 1 || read(answer, &byte, 1) != 1)
            byte = '!';
        printf("%c\n", byte);
    } else {
        close(ask);
        puts(read(answer, &byte, 1) == 0 ? "stopped" : "still there");
    }
}
