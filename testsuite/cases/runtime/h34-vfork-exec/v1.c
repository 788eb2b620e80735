//#ExpectClosure:work
//#Send:spawn
//#Expect:spawned
//#Expect:old
//#Update:v2
//#Send:spawn
//#Expect:spawned
//#Expect:new
//#Revert
//#Send:spawn
//#Expect:spawned
//#Expect:old
// posix_spawn (vfork underneath) of another program, before and after: nothing of ours goes along.
#include "serve.h"
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) {
    char *words[] = {(char *)"sh", (char *)"-c", (char *)"echo spawned; ls -l /proc/self/fd | grep -c socket:", NULL};
    pid_t child;
    int status = 0;
    fflush(stdout);
    if (posix_spawnp(&child, "sh", NULL, NULL, words, environ) == 0)
        waitpid(child, &status, 0);
    puts(work());
}
