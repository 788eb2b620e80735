/* The threads. Each repeats a pass, which begins at a quiescence point; the kinds differ in what a pass does. */
#include "order.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { SIGNAL_STACK = 1 << 16, COROUTINE_STACK = 1 << 17, CHILD_STACK = 1 << 17 };

struct coroutine {
    ucontext_t outside, inside;
    char *stack;
    bool inside_now, done;
};

/* Calls of every sort, between two points. */
static void calls_of_all_sorts(struct actor *self)
{
    halt_in_next_stub(self);
    LOOK(self, f(self));
    halt(self, BETWEEN);
    LOOK(self, g(self));
    for (int i = 0; i < 4; i++)
        LOOK(self, table[i](self));
    LOOK(self, deep(self, 12));
    LOOK(self, wide(self, 1, 2, 3, 4, 5, 6, 7, 8, 9.5, 10.5));
    LOOK(self, sorting(self));
}

static void busy(struct actor *self)
{
    calls_of_all_sorts(self);
}

/* Leaves changed functions by longjmp. */
static void jumper(struct actor *self)
{
    bool after = self->log && self->log->halted;
    unsigned first = self->recent; /* before the call; what that looks at comes later */
    int version = setjmp(self->back);

    if (version) {
        saw(self, first, self->pass, after, version);
        LOOK(self, leaf(self));
        return;
    }
    LOOK(self, f(self));
    jumping(self);
}

static void jump_then_all(struct actor *self)
{
    jumper(self);
    calls_of_all_sorts(self);
}

/* A little work now and then, else asleep. */
static void sleeper(struct actor *self)
{
    struct timespec moment = {.tv_nsec = 3000000};

    LOOK(self, f(self));
    LOOK(self, leaf(self));
    DSU_IDLE_BEGIN();
    nanosleep(&moment, NULL);
    DSU_IDLE_END();
}

static void crowd(struct actor *self)
{
    struct timespec moment = {.tv_nsec = 150000000};

    LOOK(self, g(self));
    LOOK(self, leaf(self));
    DSU_IDLE_BEGIN();
    nanosleep(&moment, NULL);
    DSU_IDLE_END();
}

static void poller(struct actor *self)
{
    LOOK(self, sorting(self));
    LOOK(self, f(self));
    DSU_IDLE_BEGIN();
    if (poll(NULL, 0, 2) < 0)
        self->events++;
    DSU_IDLE_END();
}

static void waiter(struct actor *self)
{
    struct timespec until;

    LOOK(self, g(self));
    LOOK(self, f(self));
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 2000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&self->lock);
    DSU_IDLE_BEGIN();
    pthread_cond_timedwait(&self->condition, &self->lock, &until);
    DSU_IDLE_END();
    pthread_mutex_unlock(&self->lock);
}

/* Interrupted all the time; its handler runs on a stack of its own. */
static void signalled(struct actor *self)
{
    calls_of_all_sorts(self);
    pthread_kill(pthread_self(), SIGUSR1);
    LOOK(self, leaf(self));
    calls_of_all_sorts(self);
}

/* Threads of a plain library, in the middle of a pass of ours. */
static void from_stranger(void *argument)
{
    struct actor *former = me;
    struct actor self = {.work = busy};

    (void)argument;
    me = &self;
    begin_pass(&self);
    DSU_QUIESCENCE_POINT();
    calls_of_all_sorts(&self);
    end_pass(&self);
    actor_end(&self);
    me = former;
}

static void host(struct actor *self)
{
    stranger_run(2, 50, from_stranger, NULL);
    self->events++;
}

/* Children that end in every way a thread can end. */
static void child_returns(struct actor *self)
{
    LOOK(self, f(self));
    LOOK(self, g(self));
}

static void child_exits(struct actor *self)
{
    LOOK(self, leaf(self));
    LOOK(self, ending(self));
}

static void child_is_cancelled(struct actor *self)
{
    LOOK(self, leaf(self));
    LOOK(self, waiting(self));
}

static void *child_main(void *argument)
{
    me = argument;
    DSU_QUIESCENCE_POINT();
    begin_pass(me);
    me->work(me);
    end_pass(me);
    return NULL;
}

static void parent(struct actor *self)
{
    static void (*const ends[])(struct actor *) = {child_returns, child_exits, child_is_cancelled};

    LOOK(self, leaf(self));
    for (int i = 0; i < 3; i++) {
        struct actor child = {.work = ends[i]};
        pthread_attr_t attributes;

        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, CHILD_STACK);
        if (pthread_create(&child.thread, &attributes, child_main, &child))
            abort();
        pthread_attr_destroy(&attributes);
        if (ends[i] == child_is_cancelled)
            pthread_cancel(child.thread);
        pthread_join(child.thread, NULL);
        actor_end(&child);
        self->events++;
    }
    LOOK(self, f(self));
}

/* A coroutine that stops inside a changed function while its thread goes on to its next points. What it calls then
 * belongs to the pass its thread is in; the function it stopped in goes on in the version it began with. */
static void coroutine_main(void)
{
    struct actor *self = me->signals;

    for (;;) {
        begin_pass(self);
        LOOK(self, f(self));
        LOOK(self, yielding(self));
        LOOK(self, deep(self, 3));
        end_pass(self);
        self->coroutine->done = true;
        coroutine_yield(self);
    }
}

void coroutine_yield(struct actor *self)
{
    struct coroutine *coroutine = self->coroutine;

    if (coroutine->inside_now) {
        coroutine->inside_now = false;
        swapcontext(&coroutine->inside, &coroutine->outside);
        begin_pass(self); /* a pass is a thread's: since then, this one may have been at a point */
    } else {
        coroutine->inside_now = true;
        swapcontext(&coroutine->outside, &coroutine->inside);
    }
}

static void coroutine_make(struct actor *self)
{
    struct coroutine *coroutine = calloc(1, sizeof *coroutine);

    coroutine->stack = aligned_alloc(4096, COROUTINE_STACK);
    self->coroutine = self->signals->coroutine = coroutine;
    getcontext(&coroutine->inside);
    coroutine->inside.uc_stack.ss_sp = coroutine->stack;
    coroutine->inside.uc_stack.ss_size = COROUTINE_STACK;
    makecontext(&coroutine->inside, coroutine_main, 0);
    dsu_register_stack(coroutine->stack, COROUTINE_STACK);
}

/* Runs it to the end of a pass of its own, so that it is left with no frame of a changed function. */
static void coroutine_round(struct actor *self)
{
    if (!self->coroutine)
        coroutine_make(self);
    for (self->coroutine->done = false; !self->coroutine->done;)
        coroutine_yield(self);
}

static void coroutine_end(struct actor *self)
{
    coroutine_round(self);
    dsu_unregister_stack(self->coroutine->stack);
    free(self->coroutine->stack);
    free(self->coroutine);
}

static void scheduler(struct actor *self)
{
    if (!self->coroutine)
        coroutine_make(self);
    LOOK(self, f(self));
    coroutine_yield(self);
    LOOK(self, leaf(self));
}

/* The one that halts: a pass with everything in it. */
void park_work(struct actor *self)
{
    calls_of_all_sorts(self);
    pthread_kill(pthread_self(), SIGUSR1);
    coroutine_round(self);
    jumper(self);
}

static void *actor_main(void *argument)
{
    struct actor *self = me = argument;
    stack_t stack = {.ss_sp = malloc(SIGNAL_STACK), .ss_size = SIGNAL_STACK};

    sigaltstack(&stack, NULL);
    while (!self->stop && (!self->pass_limit || self->passes < self->pass_limit)) {
        halt(self, BEFORE_POINT);
        DSU_QUIESCENCE_POINT();
        begin_pass(self);
        halt(self, AFTER_POINT);
        self->work(self);
        end_pass(self);
        if (self->log && self->log->count < CALLS_LOGGED)
            self->log->calls[self->log->count++].version = 0;
    }
    if (self->coroutine)
        coroutine_end(self);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    free(stack.ss_sp);
    return NULL;
}

static struct actor *record_make(void)
{
    struct actor *record = calloc(1, sizeof *record);

    sem_init(&record->reached, 0, 0);
    pthread_mutex_init(&record->lock, NULL);
    pthread_cond_init(&record->condition, NULL);
    return record;
}

struct actor *actor_make(void (*work)(struct actor *))
{
    struct actor *self = record_make();

    self->work = work;
    self->signals = record_make();
    return self;
}

/* Waits for its end, and counts what it has seen. */
void actor_free(struct actor *self)
{
    pthread_join(self->thread, NULL);
    actor_end(self);
    actor_end(self->signals);
    free(self->signals);
    free(self);
}

bool actor_go(struct actor *self)
{
    pthread_attr_t attributes;
    bool good;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 2 * CHILD_STACK);
    good = pthread_create(&self->thread, &attributes, actor_main, self) == 0;
    pthread_attr_destroy(&attributes);
    return good;
}

struct actor *actor_of_kind(const char *kind)
{
    static const struct {
        const char *name;
        void (*work)(struct actor *);
    } kinds[] = {
        {"busy", busy},       {"jumper", jump_then_all}, {"sleeper", sleeper}, {"crowd", crowd},
        {"poller", poller},   {"waiter", waiter},        {"parent", parent},   {"signalled", signalled},
        {"host", host},       {"scheduler", scheduler},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, kind) == 0)
            return actor_make(kinds[i].work);
    return NULL;
}
