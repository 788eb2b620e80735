//#NoOracle:a fresh v2 starts the new loop
//#ExpectSaid:never returns
//#ExpectClosure:beat
//#Send:go
//#Expect:old
//#Update:v2
//#Send:go
//#Expect:old
// A thread's main loop does not pick up its change: patchgen says so before anyone wonders.
#include "serve.h"
#include <unistd.h>

static const char *volatile pulse;

__attribute__((noinline, noreturn)) void *beat(void *unused) {
    for (;;) {
        pulse = "old"; //#v2: pulse = "new";
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
