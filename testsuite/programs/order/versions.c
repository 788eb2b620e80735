/* What updates replace. Compiled with another VERSION, each function here differs from its namesake by a number that
 * the optimiser cannot see through, so that nothing else of the program changes with it. */
#include "order.h"

#include <stdlib.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION 1
#endif

static inline int version(void)
{
    int number = VERSION;

    __asm__ volatile("" : "+r"(number));
    return number;
}

APART int leaf(struct actor *self)
{
    (void)self;
    return version();
}

APART int g(struct actor *self)
{
    int mine = version();

    LOOK(self, leaf(self));
    halt(self, IN_G);
    LOOK(self, table[0](self));
    return mine;
}

APART int f(struct actor *self)
{
    int mine = version();

    halt(self, F_BEGIN);
    LOOK(self, g(self));
    halt(self, F_MIDDLE);
    LOOK(self, leaf(self));
    halt(self, F_END);
    return mine;
}

APART int deep(struct actor *self, int levels)
{
    int mine = version();

    if (levels > 0)
        LOOK(self, deep(self, levels - 1));
    else
        halt(self, AT_BOTTOM);
    return mine;
}

/* More arguments than registers: what a stub must not disturb. */
APART int wide(struct actor *self, int a, int b, int c, int d, int e, int f, int g, long h, double x, double y)
{
    int mine = version();

    if (a != 1 || b != 2 || c != 3 || d != 4 || e != 5 || f != 6 || g != 7 || h != 8 || x != 9.5 || y != 10.5)
        abort();
    LOOK(self, leaf(self));
    return mine;
}

APART static int compare(const void *left, const void *right)
{
    LOOKED_AT(me, version());
    halt(me, IN_COMPARE);
    return *(const int *)left - *(const int *)right;
}

APART int sorting(struct actor *self)
{
    int mine = version();
    int numbers[5] = {3, 1, 4, 2, 5};

    (void)self;
    qsort(numbers, 5, sizeof *numbers, compare);
    for (int i = 0; i < 5; i++)
        if (numbers[i] != i + 1)
            abort();
    return mine;
}

/* Does not return: its version comes back through longjmp. */
APART int jumping(struct actor *self)
{
    int mine = version();

    LOOK(self, leaf(self));
    halt(self, BEFORE_JUMP);
    longjmp(self->back, mine);
}

/* Does not return either. */
APART int ending(struct actor *self)
{
    LOOKED_AT(self, version()); /* before it looks at anything else, which would count as a look before this call */
    LOOK(self, leaf(self));
    end_pass(self);
    pthread_exit(NULL);
}

/* Waits for pthread_cancel. */
APART int waiting(struct actor *self)
{
    LOOKED_AT(self, version());
    for (;;)
        pause();
}

APART int handling(struct actor *self)
{
    int mine = version();

    LOOK(self, leaf(self));
    halt(self, IN_HANDLER);
    return mine;
}

APART void on_signal(int signal)
{
    struct actor *self = me->signals;

    (void)signal;
    begin_pass(self);
    self->version = me->version; /* the handler is a part of the pass it interrupts */
    self->recent = me->recent;   /* and began at some time after that pass last looked */
    LOOKED_AT(self, version());
    LOOK(self, handling(self));
    end_pass(self);
}

APART int yielding(struct actor *self)
{
    int mine = version();

    LOOK(self, leaf(self));
    halt(self, IN_COROUTINE);
    coroutine_yield(self);
    LOOK(self, leaf(self));
    return mine;
}

watched *const table[4] = {leaf, g, f, leaf};
