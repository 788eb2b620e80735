//#ExpectClosure:leave
//#Send:run 50
//#Expect:50 threads left with 1
//#Update:v2
//#Send:run 50
//#Expect:50 threads left with 2
//#Revert
//#Send:run 50
//#Expect:50 threads left with 1
// Threads end inside the updated function, by pthread_exit and by cancellation.
#include "serve.h"
#include <stdint.h>
#include <unistd.h>

__attribute__((noinline)) void leave(intptr_t how) {
    if (how == 0)
        pthread_exit((void *)1); //#v2: pthread_exit((void *)2);
    for (;;)
        pause();
}

static void *thread(void *how) {
    leave((intptr_t)how);
    return NULL;
}

void handle(const char *line) {
    long left = 0;
    intptr_t last = 0;
    for (long i = 0; i < argument(line); i++) {
        pthread_t id;
        void *said = NULL;
        pthread_create(&id, NULL, thread, (void *)(i % 2));
        if (i % 2)
            pthread_cancel(id);
        pthread_join(id, &said);
        if (i % 2 == 0)
            last = (intptr_t)said;
        left++;
    }
    printf("%ld threads left with %ld\n", left, (long)last);
}
