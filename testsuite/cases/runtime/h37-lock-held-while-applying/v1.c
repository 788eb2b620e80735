//#Consistency:newest
//#ExpectClosure:work
//#Send:hold
//#Expect:held
//#Send:ask
//#Expect:old
//#Update:v2
//#Send:ask
//#Expect:new
//#Revert
//#Send:release
//#Expect:released
// Some thread holds the lock of stdio and a mutex for the whole time: applying waits for neither.
// With consistency `thread` it would wait for the holder to reach a point.
#include "serve.h"
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int go, held;
static pthread_t holder;

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

static void *hold(void *unused) {
    flockfile(stderr);
    pthread_mutex_lock(&mutex);
    held = 1;
    while (!go)
        usleep(100);
    pthread_mutex_unlock(&mutex);
    funlockfile(stderr);
    return unused;
}

void handle(const char *line) {
    if (is(line, "hold")) {
        pthread_create(&holder, NULL, hold, NULL);
        while (!held)
            usleep(100);
        puts("held");
    } else if (is(line, "ask")) {
        puts(work());
    } else {
        go = 1;
        pthread_join(holder, NULL);
        puts("released");
    }
}
