// The whole variable is one object in v1, as its address is kept; v2 keeps it no more, and the optimiser splits it.
#include "serve.h"

#ifndef START
#define START 0
#endif
#ifndef KEEP
#define KEEP (KIND == 5)
#endif

void *volatile keep;
#if KIND == 3
static long st[2] = {START};
#define HITS st[0]
#define MISSES st[1]
#else
#if KIND == 4
static struct { char gap; int hits; long misses; } st;
#elif KIND != 2
static struct { long hits, misses; } st = {START};
#endif
#define HITS st.hits
#define MISSES st.misses
#endif

__attribute__((noinline)) static void count(void) {
#if KIND == 2
    static struct { long hits, misses; } st;
#endif
#if KEEP
    keep = &st;
#endif
    HITS += 1, MISSES += 2;
    printf("now %ld %ld\n", (long)HITS, (long)MISSES);
}

void handle(const char *line) {
    (void)line;
    count();
}
