//#Consistency:newest
//#NoOracle:a fresh v2 has no call that was entered in v1
//#ExpectClosure:work
//#Send:start
//#Expect:running
//#Update:v2
//#Send:quick
//#Expect:new
//#Send:release
//#Expect:the long call says old
// A call that was entered before the update finishes as what it was; calls after it are new, also those it makes.
// With consistency `thread` the update would wait for it.
#include "serve.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_t runner;
static const char *volatile said;

__attribute__((noinline)) const char *work(int wait) {
    const char *mine = "old"; //#v2: const char *mine = "new";
    if (wait) {
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
    }
    __asm__ volatile("" : "+r"(mine));
    return mine;
}

static void *run(void *unused) {
    said = work(1);
    return unused;
}

void handle(const char *line) {
    if (is(line, "start")) {
        pthread_mutex_lock(&gate);
        pthread_create(&runner, NULL, run, NULL);
        puts("running");
    } else if (is(line, "quick")) {
        puts(work(0));
    } else if (is(line, "release")) {
        pthread_mutex_unlock(&gate);
        pthread_join(runner, NULL);
        printf("the long call says %s\n", said);
    }
}
