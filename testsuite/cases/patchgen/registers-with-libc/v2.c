// What libc gives every module a copy of, used by nobody before.
#include "serve.h"

#include <sys/wait.h>
#include <unistd.h>

#ifdef FORK
static void bye(void) { puts("before"); }
static void child(void) { _exit(0); }
#else
static void bye(void) { puts("bye"); }
#endif

void handle(const char *line) {
    static int known;
    int failed = 0;
    if (known)
        goto out;
    known = 1;
#if defined ATEXIT
    failed = atexit(bye);
#elif defined QUICK
    failed = at_quick_exit(bye);
#else
    failed = pthread_atfork(bye, NULL, child);
#endif
    printf("v2 %d\n", failed);
    return;
out:
    if (fork() == 0)
        abort();
    wait(NULL);
}
