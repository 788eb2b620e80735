/* A program whose threads watch which versions of its functions they call.
 *
 * | file | what |
 * |---|---|
 * | stage.h | which versions a call may run at a moment |
 * | versions.c | the functions that updates replace; each returns the VERSION it was compiled with |
 * | watch.c | what a thread has seen, and the places where it can be made to halt; never replaced |
 * | actors.c | the threads: one loop around one pass, and what is special about each kind |
 * | stranger.c | a library of plain clang's that makes threads and calls back |
 * | main.c | commands on stdin, replies on stdout |
 */
#ifndef ORDER_H
#define ORDER_H

#include "dsu.h"
#include "stage.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>

#define APART __attribute__((noinline))

/* Where a thread can be made to halt. */
enum place {
    NOWHERE,
    BEFORE_POINT,
    AFTER_POINT,
    F_BEGIN,
    F_MIDDLE,
    F_END,
    BETWEEN,
    IN_G,
    AT_BOTTOM,
    IN_COMPARE,
    IN_HANDLER,
    IN_COROUTINE,
    BEFORE_JUMP,
    IN_STUB,
    PLACES
};

/* What it does while it halts. */
enum halting { IN_READ, IN_CONDITION, IN_SLEEPS, IN_LOOP, HALTINGS };

enum { CALLS_LOGGED = 512, MESSAGE = 256 };

/* The calls of a thread that halts, in order. */
struct log {
    bool halted;
    int count;
    struct {
        unsigned char version; /* 0 ends a pass */
        bool after;            /* it began after the halt */
    } calls[CALLS_LOGGED];
};

/* A thread, and what it has seen. Only the thread itself writes, but for `stop` and the halt. */
struct actor {
    pthread_t thread;
    void (*work)(struct actor *);
    atomic_bool stop;
    unsigned long pass_limit; /* 0 for none */
    unsigned version;         /* of the first call of this pass; 0 before it */
    unsigned long pass;       /* its number */
    unsigned recent;          /* the update that was over when it last looked */
    bool mixed;               /* this pass has seen two */
    unsigned long calls, passes, mixed_passes, late, events;
    char complaint[MESSAGE];
    /* the halt */
    enum place halt_at;
    enum halting halting;
    sem_t reached;
    atomic_bool released;
    pthread_mutex_t lock;
    pthread_cond_t condition;
    int pipe[2];
    struct log *log;
    /* for the kinds that need it */
    jmp_buf back;
    struct actor *signals; /* what its signal handler or its coroutine sees */
    struct coroutine *coroutine;
};

/* watch.c */
extern struct stage *stage;
extern __thread struct actor *me;
extern bool one_version; /* a pass that sees two is wrong */
void saw(struct actor *self, unsigned first, unsigned long pass, bool after, int version);
void halt(struct actor *self, enum place place);
void halt_in_next_stub(struct actor *self);
void begin_pass(struct actor *self);
void end_pass(struct actor *self);

/* Calls, and notes which version it was: the call's value. */
#define LOOK(self, call)                                                                                     \
    do {                                                                                                     \
        unsigned look_first = atomic_load_explicit(&stage->over, memory_order_acquire);                      \
        unsigned long look_pass = (self)->pass;                                                              \
        bool look_after = (self)->log && (self)->log->halted;                                                \
        saw((self), look_first, look_pass, look_after, (call));                                              \
    } while (0)

/* For a function whose caller is not ours: its call began after the thread last looked. */
#define LOOKED_AT(self, version)                                                                             \
    saw((self), (self)->recent, (self)->pass, (self)->log && (self)->log->halted, (version))

/* versions.c */
int leaf(struct actor *self);
int f(struct actor *self);
int g(struct actor *self);
int deep(struct actor *self, int levels);
int wide(struct actor *self, int a, int b, int c, int d, int e, int f, int g, long h, double x, double y);
int sorting(struct actor *self);
int jumping(struct actor *self);
int ending(struct actor *self);
int waiting(struct actor *self);
int handling(struct actor *self);
int yielding(struct actor *self);
void on_signal(int signal);
typedef int watched(struct actor *self);
extern watched *const table[4];

/* actors.c */
struct actor *actor_make(void (*work)(struct actor *));
void actor_free(struct actor *self);
bool actor_go(struct actor *self);
void actor_end(struct actor *self);
struct actor *actor_of_kind(const char *kind);
void park_work(struct actor *self);
void coroutine_yield(struct actor *self);

/* stranger.c */
void stranger_run(int threads, int rounds, void (*call)(void *), void *argument);

#endif
