/* usage: unstopped STAGE-FILE (which it does not need)
 * One thread reads the clock all the time and calls what updates replace; eight sleep in the kernel, each in another
 * call. Commands, one a line; each reply ends with a dot:
 *   sampler      starts the thread that reads the clock; its number
 *   gaps         how often that thread has seen the clock jump by more than 50, 200, 1,000 us since the last such
 *                command, the longest jump in us, how often it has looked, and the calls' last answer
 *   sleepers     starts the eight; their numbers
 *   woken        how many calls of the eight have returned
 *   rest         stops the thread that reads the clock */
#include "dsu.h"
#include "unstopped.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LIMITS = 3, SLEEPERS = 8 };

static const long limits_ns[LIMITS] = {50000, 200000, 1000000};
static atomic_long gaps[LIMITS], longest_ns, looks;
static atomic_int last_answer, woken;
static atomic_bool sampling;
static pthread_t sampler_thread;
static int silent_pipe[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t nothing;
static atomic_int numbers[SLEEPERS];

static long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now); /* no system call */
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void *sampler(void *number)
{
    long last = now_ns();

    *(atomic_int *)number = gettid();
    for (int i = 0; sampling; i = (i + 1) & 0xff) {
        long now = now_ns(), gap = now - last;

        for (int limit = 0; limit < LIMITS; limit++)
            if (gap > limits_ns[limit])
                gaps[limit]++;
        if (gap > longest_ns)
            longest_ns = gap;
        atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed);
        last_answer = answer(i) - i;
        last = now;
        DSU_QUIESCENCE_POINT();
    }
    return NULL;
}

static void sleep_by(int way)
{
    struct pollfd input = {.fd = silent_pipe[0], .events = POLLIN};
    struct timespec year = {.tv_sec = 365 * 24 * 3600};
    struct epoll_event event;
    sigset_t none;
    char byte;
    int set;

    switch (way) {
    case 0:
        read(silent_pipe[0], &byte, 1);
        break;
    case 1:
        poll(&input, 1, -1);
        break;
    case 2:
        set = epoll_create1(EPOLL_CLOEXEC);
        epoll_wait(set, &event, 1, -1);
        close(set);
        break;
    case 3:
        nanosleep(&year, NULL);
        break;
    case 4:
        pthread_mutex_lock(&lock);
        pthread_cond_wait(&never, &lock);
        pthread_mutex_unlock(&lock);
        break;
    case 5:
        sem_wait(&nothing);
        break;
    case 6:
        pthread_mutex_lock(&held);
        break;
    default:
        sigemptyset(&none);
        sigaddset(&none, SIGUSR2);
        sigwaitinfo(&none, NULL);
    }
}

static void *sleeper(void *way)
{
    atomic_int *number = &numbers[(long)way];

    *number = gettid();
    for (;;) {
        DSU_QUIESCENCE_POINT();
        DSU_IDLE_BEGIN();
        sleep_by((int)(long)way);
        DSU_IDLE_END();
        woken++; /* and back to sleep: strace, when it comes, wakes some */
    }
    return NULL;
}

static void print_number(atomic_int *number)
{
    while (!*number)
        usleep(1000);
    printf("%d\n", *number);
}

static void command(const char *line)
{
    static atomic_int number;

    if (strcmp(line, "sampler") == 0) {
        number = 0;
        sampling = true;
        pthread_create(&sampler_thread, NULL, sampler, &number);
        print_number(&number);
    } else if (strcmp(line, "rest") == 0) {
        sampling = false;
        pthread_join(sampler_thread, NULL);
    } else if (strcmp(line, "gaps") == 0) {
        for (int i = 0; i < LIMITS; i++)
            printf("%ld ", atomic_exchange(&gaps[i], 0));
        printf("%ld ", atomic_exchange(&longest_ns, 0) / 1000);
        printf("%ld %d\n", atomic_exchange(&looks, 0), last_answer);
    } else if (strcmp(line, "sleepers") == 0) {
        pthread_attr_t attributes;

        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        for (long way = 0; way < SLEEPERS; way++) {
            pthread_t thread;

            pthread_create(&thread, &attributes, sleeper, (void *)way);
            print_number(&numbers[way]);
        }
    } else if (strcmp(line, "woken") == 0) {
        printf("%d\n", woken);
    }
    puts(".");
    fflush(stdout);
}

int main(void)
{
    char line[64];

    if (pipe2(silent_pipe, O_CLOEXEC) || sem_init(&nothing, 0, 0) || pthread_mutex_lock(&held))
        return 2;
    puts(".");
    fflush(stdout);
    for (;;) {
        size_t length = 0;

        DSU_QUIESCENCE_POINT();
        do {
            ssize_t got;

            DSU_IDLE_BEGIN();
            got = read(STDIN_FILENO, line + length, 1);
            DSU_IDLE_END();
            if (got != 1)
                _exit(0);
        } while (line[length] != '\n' && ++length < sizeof line - 1);
        line[length] = '\0';
        command(line);
    }
}
