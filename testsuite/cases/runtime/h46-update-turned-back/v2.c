#include "serve.h"
#include <sys/prctl.h>

static pthread_t spinner;
static volatile int stop;

__attribute__((noinline)) const char *answer(void) { return opaque("new"); }

static void *spin(void *unused) {
    prctl(PR_SET_NAME, "spin");
    while (!stop)
        answer();
    return unused;
}

void handle(const char *line) {
    if (is(line, "spin")) {
        pthread_create(&spinner, NULL, spin, NULL);
    } else if (is(line, "rest")) {
        stop = 1;
        pthread_join(spinner, NULL);
        puts("rested");
        return;
    }
    puts(answer());
}
