/* What a csmith program is wrapped in: `run N` calls its first function N times and prints the checksum of every
 * global. That happens in a child, so the globals of the process itself never change, and neither an endless loop
 * nor a fault of a mutated program ends it. */
#ifndef ROUND_H
#define ROUND_H

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* CPU seconds of a round, however busy the machine is. */
#ifndef ROUND_SECONDS
#define ROUND_SECONDS 1
#endif

static void checksums(int times);

__attribute__((noinline)) void handle(const char *line) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {ROUND_SECONDS, ROUND_SECONDS}, none = {0, 0};
        setrlimit(RLIMIT_CPU, &limit);
        setrlimit(RLIMIT_CORE, &none);
        checksums((int)argument(line));
        fflush(stdout);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        puts("no child");
    else if (WIFSIGNALED(status))
        printf("ended by signal %d\n", WTERMSIG(status));
    else if (status != 0)
        printf("ended with %d\n", WEXITSTATUS(status));
}
#endif
