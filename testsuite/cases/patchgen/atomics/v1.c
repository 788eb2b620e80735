//#ExpectClosure:next
//#Send:go
//#Expect:1 1
//#Send:go
//#Expect:2 3
//#NoOracle:the counters go on where the old version left them
//#Update:v2
//#Send:go
//#Expect:13 16
// Atomic variables stay where they are; how they are used may change.
#include "serve.h"
#include <stdatomic.h>

static _Atomic long counter;
static atomic_llong sum;

__attribute__((noinline)) static long next(void) {
    long now = atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed) + 1; //#v2: long now = atomic_fetch_add_explicit(&counter, 11, memory_order_seq_cst) + 11;
    atomic_fetch_add(&sum, now);
    return now;
}

void handle(const char *line) {
    long now = next();
    printf("%ld %lld\n", now, (long long)atomic_load(&sum));
}
