//#ExpectChanged:ticker.dsu_loop
//#Send:go
//#Expect:1 of 1
//#Send:go
//#Expect:1 of 2
//#NoOracle:the count of iterations is the thread's own and goes on
//#Update:v2
//#Send:go
//#Expect:2 of 3
//#Revert
//#Send:go
//#Expect:1 of 4
// A thread's endless loop never returns, but its body is a function: the next iteration runs the new one.
#include "serve.h"
#include <semaphore.h>

static sem_t asked, answered;
static long answer, iterations;

static void *ticker(void *unused) {
    long count = 0;
    for (;;) {
        sem_wait(&asked);
        answer = opaque_number(1); //#v2: answer = opaque_number(2);
        iterations = ++count;
        sem_post(&answered);
    }
    return unused;
}

void handle(const char *line) {
    static pthread_t thread;
    (void)line;
    if (!thread && pthread_create(&thread, NULL, ticker, NULL) != 0)
        return;
    sem_post(&asked);
    sem_wait(&answered);
    printf("%ld of %ld\n", answer, iterations);
}
