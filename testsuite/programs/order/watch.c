/* What a thread has seen, and where it halts. Nothing here is replaced by an update. */
#include "order.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

struct stage *stage;
__thread struct actor *me;
bool one_version;

static void complain(struct actor *self, const char *what, unsigned first, unsigned last, int version)
{
    if (!*self->complaint)
        snprintf(self->complaint, sizeof self->complaint, "%s: version %d, in this pass %u, allowed %u ... %u", what,
                 version, self->version, (unsigned)stage->version[first % STAGES],
                 (unsigned)stage->version[last % STAGES]);
}

/* A call that began in this pass, when update `first` was over, has run `version`. */
APART void saw(struct actor *self, unsigned first, unsigned long pass, bool after, int version)
{
    unsigned last = atomic_load_explicit(&stage->begun, memory_order_acquire);
    unsigned over = atomic_load_explicit(&stage->over, memory_order_acquire);
    bool allowed = false;

    self->calls++;
    for (unsigned i = first; i != last + 1 && !allowed; i++)
        allowed = stage->version[i % STAGES] == version;
    if (!allowed) {
        self->late++;
        complain(self, "late", first, last, version);
    }
    if (pass != self->pass) {
        /* It began in an earlier one, and counts for that. */
    } else if (!self->version) {
        self->version = (unsigned)version;
    } else if (self->version != (unsigned)version) {
        self->mixed = true;
        if (one_version)
            complain(self, "mixed", first, last, version);
    }
    if (self->log && self->log->count < CALLS_LOGGED) {
        self->log->calls[self->log->count].after = after;
        self->log->calls[self->log->count++].version = (unsigned char)version;
    }
    self->recent = over;
}

APART void begin_pass(struct actor *self)
{
    self->pass++;
    self->mixed_passes += self->mixed; /* of a pass that was left without its end */
    self->version = 0;
    self->mixed = false;
    self->recent = atomic_load(&stage->over);
}

APART void end_pass(struct actor *self)
{
    self->passes++;
    self->mixed_passes += self->mixed;
    self->version = 0;
    self->mixed = false;
}

static void wait_in_condition(struct actor *self)
{
    pthread_mutex_lock(&self->lock);
    while (!self->released)
        pthread_cond_wait(&self->condition, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

static void wait_in_read(struct actor *self)
{
    char byte;

    /* An interrupted read is one that somebody has signalled; the harness looks for that. */
    while (read(self->pipe[0], &byte, 1) != 1)
        self->events++;
}

/* Stays here until released, if this is the place where the thread is to halt. */
APART void halt(struct actor *self, enum place place)
{
    struct timespec moment = {.tv_nsec = 500000};

    if (self->halt_at != place)
        return;
    self->halt_at = NOWHERE;
    sem_post(&self->reached);
    switch (self->halting) {
    case IN_READ:
        wait_in_read(self);
        break;
    case IN_CONDITION:
        wait_in_condition(self);
        break;
    case IN_SLEEPS:
        while (!self->released)
            nanosleep(&moment, NULL);
        break;
    default:
        while (!self->released)
            __asm__ volatile("pause");
    }
    self->log->halted = true;
}

enum { TRAP_FLAG = 0x100 };

/* After each instruction: halts where the next one is the jump that ends a transition stub, `jmp *WORD(%rip)` outside
 * of the program. The stub has decided then which word it is. */
static void on_step(int signal, siginfo_t *info, void *context)
{
    extern const unsigned char __executable_start[], etext[];
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *next = (const unsigned char *)registers[REG_RIP];

    (void)signal, (void)info;
    if ((next >= __executable_start && next < etext) || next[0] != 0xff || next[1] != 0x25)
        return;
    registers[REG_EFL] &= ~TRAP_FLAG;
    halt(me, IN_STUB);
}

/* If this is where the thread is to halt: runs it one instruction at a time from here on, below the red zone. */
APART void halt_in_next_stub(struct actor *self)
{
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (self->halt_at != IN_STUB)
        return;
    sigaction(SIGTRAP, &action, NULL);
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\torq %0, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp"
                     :
                     : "i"(TRAP_FLAG)
                     : "memory", "cc");
}
