//#Unit:uv.c
//#Consistency:thread
//#RunTool:cat dsu.log
//#ToolOut:idle region around `uv_cond_wait` in `worker`: its outermost loop waits here for work: `start` starts a thread in it
//#ToolReject:quiescence point in `worker`
//#ExpectClosure:answer
//#Send:ask
//#Expect:old
//#Update:v2
//#Send:ask
//#Expect:new
//#Revert
//#Send:ask
//#Expect:old
// A worker that waits through libuv, which is part of the program, moves where it sleeps; with its mutex held it has no point.
#include "serve.h"
#include "uv.h"

static uv_thread_t thread;
static uv_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uv_cond_t wanted = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static const char *reply;
static int asked;

__attribute__((noinline)) const char *answer(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *answer(void) { return opaque("new"); }

static void worker(void *unused) {
    (void)unused;
    uv_mutex_lock(&mutex);
    for (;;) {
        const char *text;

        while (!asked)
            uv_cond_wait(&wanted, &mutex);
        uv_mutex_unlock(&mutex);
        text = answer();
        uv_mutex_lock(&mutex);
        reply = text;
        asked = 0;
        uv_cond_signal(&done);
    }
}

static __attribute__((noinline)) void start(void) { uv_thread_create(&thread, worker, NULL); }

void handle(const char *line) {
    if (!is(line, "ask"))
        return;
    if (!thread)
        start();
    uv_mutex_lock(&mutex);
    asked = 1;
    uv_cond_signal(&wanted);
    while (asked)
        uv_cond_wait(&done, &mutex);
    uv_mutex_unlock(&mutex);
    puts(reply);
}
