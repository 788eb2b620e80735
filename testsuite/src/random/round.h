/* What a csmith program is wrapped in: `run N` calls its first function N times and prints the checksum of every
 * global. That happens in a child, so the globals of the process itself never change, and neither an endless loop
 * nor a fault of a mutated program ends it. */
#ifndef ROUND_H
#define ROUND_H

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* CPU time of a round, however busy the machine is; csmith's programs either need hardly any or never end. */
#ifndef ROUND_MILLISECONDS
#define ROUND_MILLISECONDS 200
#endif

static void checksums(int times);

__attribute__((noinline)) void handle(const char *line) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        struct itimerval limit = {{0, 0}, {ROUND_MILLISECONDS / 1000, ROUND_MILLISECONDS % 1000 * 1000}};
        setrlimit(RLIMIT_CORE, &none);
        setitimer(ITIMER_PROF, &limit, NULL);
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
