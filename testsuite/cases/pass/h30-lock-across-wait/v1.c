//#RunTool:cat dsu.log
//#ToolOut:idle region around `sem_wait` in `worker`
//#ToolReject:idle region around `poll` in `keeper`
//#ToolReject:quiescence point in `keeper`
//#Send:go
//#Expect:1
// Where a thread waits for work with a lock held, it may be in the middle of something: no place to move it.
#include "serve.h"
#include <poll.h>
#include <semaphore.h>

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;
static sem_t asked, answered;
static volatile int entries;

static void *keeper(void *unused) {
    for (;;) {
        pthread_mutex_lock(&ledger);
        poll(NULL, 0, 1);
        entries = 1;
        pthread_mutex_unlock(&ledger);
        sem_post(&asked);
        pthread_mutex_lock(&ledger);
        poll(NULL, 0, 1);
        pthread_mutex_unlock(&ledger);
    }
    return unused;
}

static void *worker(void *unused) {
    for (;;) {
        sem_wait(&asked);
        sem_post(&answered);
    }
    return unused;
}

void handle(const char *line) {
    static pthread_t threads[2];
    (void)line;
    sem_init(&asked, 0, 0);
    sem_init(&answered, 0, 0);
    pthread_create(&threads[0], NULL, keeper, NULL);
    pthread_create(&threads[1], NULL, worker, NULL);
    sem_wait(&answered);
    printf("%d\n", entries);
}
