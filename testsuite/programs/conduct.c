/* Runs updates and tells the programs under test, through a page they share, when each began and when it was over.
 * usage: conduct STAGE-FILE. Each line of stdin is `VERSION<tab>COMMAND<tab>ARGUMENT...`; the reply is what the
 * command wrote, `exit CODE in MICROSECONDS us`, and a dot.
 * VERSION is what calls run once the command has succeeded. With `~` before it, the update counts as begun but not
 * as over, until the line `settled`. */
#include "order/stage.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { WORDS = 32 };

extern char **environ;

static struct stage *stage;

static long microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

/* The command's exit code; 128 + signal when it was killed. */
static int run(char **words)
{
    pid_t child;
    int status;

    if (posix_spawn(&child, words[0], NULL, NULL, words, environ))
        return 127;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void update(char *line)
{
    unsigned next = atomic_load(&stage->begun) + 1;
    unsigned char former = atomic_load(&stage->version[(next - 1) % STAGES]);
    char *words[WORDS] = {NULL};
    int count = 0, code, open = *line == '~';
    long start;

    for (char *word = strtok(line + open, "\t"); word && count < WORDS - 1; word = strtok(NULL, "\t"))
        words[count++] = word;
    if (count < 2) {
        puts("exit 127 in 0 us");
        return;
    }
    fflush(stdout);
    /* The version is there before anybody may look for it. */
    atomic_store(&stage->version[next % STAGES], (unsigned char)atoi(words[0]));
    atomic_store(&stage->begun, next);
    start = microseconds();
    code = run(words + 1);
    if (code)
        atomic_store(&stage->version[next % STAGES], former);
    if (code || !open)
        atomic_store(&stage->over, next);
    printf("exit %d in %ld us\n", code, microseconds() - start);
}

int main(int argc, char **argv)
{
    static char line[4096];

    if (argc != 2 || !(stage = stage_open(argv[1])))
        return 2;
    puts(".");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "settled") == 0)
            atomic_store(&stage->over, atomic_load(&stage->begun));
        else
            update(line);
        puts(".");
        fflush(stdout);
    }
    return 0;
}
