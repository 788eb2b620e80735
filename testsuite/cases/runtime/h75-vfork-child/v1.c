//#Consistency:newest
//#ExpectClosure:prepare_child
//#Update:v2
//#Send:start
//#Expect:started
//#Revert
//#RunTool:sleep 0.6
//#Send:join
//#Expect:children 1, failed 0
//#Update:v2
//#Send:start
//#Expect:started
//#Send:start
//#Expect:started
//#Revert
//#Send:join
//#Expect:children 2, failed 0
// A child made by `vfork` runs a changed function on the stack of its parent, which the kernel shows as blocked, before it
// replaces itself. Code of that version stays as long as the child may return into it.
#define _GNU_SOURCE
#include "serve.h"
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int children, failed;
static pthread_t makers[8];

static void nap(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static volatile int sink;

__attribute__((noinline)) void prepare_child(void) {
    sink += (int)opaque_number(1); //#v2: sink += (int)opaque_number(2);
    nap(1200);
    sink++;
    nap(1);
    execl("/bin/true", "true", (char *)NULL);
    _exit(99);
}

static void *make_child(void *unused) {
    int status = -1;
    (void)unused;
    pid_t child = vfork();
    if (child == 0)
        prepare_child();
    waitpid(child, &status, 0);
    if (status != 0)
        __atomic_add_fetch(&failed, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

void handle(const char *line) {
    if (is(line, "start")) {
        if (pthread_create(&makers[children++], NULL, make_child, NULL) != 0)
            exit(1);
        nap(300);
        puts("started");
    } else {
        for (int i = 0; i < children; i++)
            pthread_join(makers[i], NULL);
        printf("children %d, failed %d\n", children, failed);
        children = 0;
    }
}
