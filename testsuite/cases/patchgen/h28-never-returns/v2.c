// A thread's main loop does not pick up its change: patchgen says so before anyone wonders.
#include "serve.h"
#include <unistd.h>

static const char *volatile pulse;

__attribute__((noinline, noreturn)) void *beat(void *unused) {
    for (;;) {
        pulse = "new";
        usleep(1000);
    }
}

void handle(const char *line) {
    static pthread_t thread;
    if (!thread)
        pthread_create(&thread, NULL, beat, NULL);
    while (!pulse)
        usleep(100);
    puts(pulse);
}
