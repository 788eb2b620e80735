/* usage: order STAGE-FILE [one-version]
 * Commands, one a line; each reply ends with a dot:
 *   start KIND N     makes N threads of a kind
 *   stop             ends them all and waits for them
 *   counts           what has been seen since the start, threads that run included
 *   park PLACE HOW   one more thread, which halts at a place of its first pass; the reply comes when it is there
 *   release          lets it go on, to the end of its second pass: its calls, `bVERSION` before the halt, `aVERSION`
 *                    after it, a bar between the passes
 *   hold PLACE HOW   as park, another thread, so that an update waits for it
 *   let-go           releases that one */
#include "order.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ACTORS = 2048, PARK_SECONDS = 20 };

static const char *const place_names[PLACES] = {
    "nowhere",   "before-point", "after-point", "f-begin",    "f-middle",     "f-end",       "between",
    "in-g",      "at-bottom",    "in-compare",  "in-handler", "in-coroutine", "before-jump",
    "in-stub",
};
static const char *const halting_names[HALTINGS] = {"read", "condition", "sleeps", "loop"};

static struct actor *actors[ACTORS];
static int actor_count;

/* A thread that halts, and the record it halts with. */
struct slot {
    struct actor *parked, *halting;
};
static struct slot to_park, to_hold;

/* Of threads that have ended. */
static atomic_ulong calls, passes, mixed_passes, late, events;
static char first_complaint[MESSAGE];
static pthread_mutex_t complaint_lock = PTHREAD_MUTEX_INITIALIZER;

void actor_end(struct actor *self)
{
    calls += self->calls;
    passes += self->passes;
    mixed_passes += self->mixed_passes;
    late += self->late;
    events += self->events;
    pthread_mutex_lock(&complaint_lock);
    if (*self->complaint && !*first_complaint)
        memcpy(first_complaint, self->complaint, MESSAGE);
    pthread_mutex_unlock(&complaint_lock);
}

static void start(const char *kind, int count)
{
    for (int i = 0; i < count; i++) {
        struct actor *actor = actor_count < ACTORS ? actor_of_kind(kind) : NULL;

        if (!actor || !actor_go(actor)) {
            printf("cannot start `%s` number %d\n", kind, i);
            return;
        }
        actors[actor_count++] = actor;
    }
}

static void stop(void)
{
    for (int i = 0; i < actor_count; i++)
        actors[i]->stop = true;
    for (int i = 0; i < actor_count; i++)
        actor_free(actors[i]);
    actor_count = 0;
}

static void counts(void)
{
    struct actor sum = {.calls = calls, .passes = passes, .mixed_passes = mixed_passes, .late = late, .events = events};
    const char *complaint = first_complaint;

    for (int i = 0; i < 2 * actor_count; i++) {
        const struct actor *actor = i % 2 ? actors[i / 2]->signals : actors[i / 2];

        sum.calls += actor->calls;
        sum.passes += actor->passes;
        sum.mixed_passes += actor->mixed_passes;
        sum.late += actor->late;
        sum.events += actor->events;
        if (!*complaint)
            complaint = actor->complaint;
    }
    printf("calls %lu\npasses %lu\nmixed %lu\nlate %lu\nevents %lu\ncomplaint %s\n", sum.calls, sum.passes,
           sum.mixed_passes, sum.late, sum.events, complaint);
}

static int index_of(const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (names[i] && strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static void park(struct slot *slot, const char *place_name, const char *halting_name)
{
    int place = index_of(place_name, place_names, PLACES), how = index_of(halting_name, halting_names, HALTINGS);
    struct actor *parked, *halting;
    struct timespec until;

    if (slot->parked || place < 0 || how < 0) {
        printf("cannot park at `%s` in `%s`\n", place_name, halting_name);
        return;
    }
    parked = actor_make(park_work);
    parked->log = parked->signals->log = calloc(1, sizeof *parked->log);
    parked->pass_limit = 2;
    /* Handler and coroutine see with a record of their own. */
    halting = place == IN_HANDLER || place == IN_COROUTINE ? parked->signals : parked;
    *slot = (struct slot){parked, halting};
    halting->halt_at = (enum place)place;
    halting->halting = (enum halting)how;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PARK_SECONDS;
    if (pipe(halting->pipe) || !actor_go(parked) || sem_timedwait(&halting->reached, &until))
        printf("nobody came to `%s`: %s\n", place_name, strerror(errno));
}

static void release(struct slot *slot)
{
    struct actor *parked = slot->parked, *halting = slot->halting;
    struct log *log;

    if (!parked) {
        puts("nobody halts");
        return;
    }
    log = parked->log;
    pthread_mutex_lock(&halting->lock);
    halting->released = true;
    pthread_cond_broadcast(&halting->condition);
    pthread_mutex_unlock(&halting->lock);
    if (halting->halting == IN_READ && write(halting->pipe[1], "", 1) != 1)
        puts("cannot write to the pipe");
    pthread_join(parked->thread, NULL);
    printf("interrupted %lu\n", halting->events);
    for (int i = 0; i < log->count; i++) {
        if (log->calls[i].version)
            printf("%c%d ", log->calls[i].after ? 'a' : 'b', log->calls[i].version);
        else
            printf("| ");
    }
    putchar('\n');
    close(halting->pipe[0]);
    close(halting->pipe[1]);
    actor_end(parked);
    actor_end(parked->signals);
    free(parked->signals);
    free(parked);
    free(log);
    *slot = (struct slot){NULL, NULL};
}

static void command(char *line)
{
    char *word = strtok(line, " "), *first = strtok(NULL, " "), *second = strtok(NULL, " ");

    if (word && strcmp(word, "start") == 0 && second)
        start(first, atoi(second));
    else if (word && strcmp(word, "stop") == 0)
        stop();
    else if (word && strcmp(word, "counts") == 0)
        counts();
    else if (word && strcmp(word, "park") == 0 && second)
        park(&to_park, first, second);
    else if (word && strcmp(word, "release") == 0)
        release(&to_park);
    else if (word && strcmp(word, "hold") == 0 && second)
        park(&to_hold, first, second);
    else if (word && strcmp(word, "let-go") == 0)
        release(&to_hold);
    else
        printf("no such command\n");
    puts(".");
    fflush(stdout);
}

/* By read and not by stdio, so that waiting for a command is a call of the program's own. */
static bool read_line(char *line, size_t size)
{
    size_t length = 0;

    while (length + 1 < size) {
        ssize_t got;

        DSU_IDLE_BEGIN();
        got = read(STDIN_FILENO, line + length, 1);
        DSU_IDLE_END();
        if (got == 0)
            return false;
        if (got == 1 && line[length++] == '\n')
            break;
    }
    line[length ? length - 1 : 0] = '\0';
    return true;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    char line[256];

    if (argc < 2 || !(stage = stage_open(argv[1])))
        return 2;
    one_version = argc > 2 && strcmp(argv[2], "one-version") == 0;
    sigaction(SIGUSR1, &action, NULL);
    puts(".");
    fflush(stdout);
    for (;;) {
        DSU_QUIESCENCE_POINT();
        if (!read_line(line, sizeof line))
            break;
        command(line);
    }
    stop();
    return 0;
}
