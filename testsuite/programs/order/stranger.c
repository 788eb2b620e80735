/* Built by plain clang as a library: its threads and its loop are nothing the toolchain knows of. */
#include <pthread.h>
#include <stdlib.h>

struct job {
    int rounds;
    void (*call)(void *);
    void *argument;
};

static void *rounds(void *pointer)
{
    struct job *job = pointer;

    for (int i = 0; i < job->rounds; i++)
        job->call(job->argument);
    return NULL;
}

void stranger_run(int threads, int count, void (*call)(void *), void *argument)
{
    struct job job = {count, call, argument};
    pthread_t *all = calloc((size_t)threads, sizeof *all);

    for (int i = 0; i < threads; i++)
        if (pthread_create(&all[i], NULL, rounds, &job))
            abort();
    for (int i = 0; i < threads; i++)
        pthread_join(all[i], NULL);
    free(all);
}
