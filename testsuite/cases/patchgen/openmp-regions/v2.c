// Loops that OpenMP's library runs: functions without a name in the source, handed over together with what they work on.
#include "serve.h"

__attribute__((noinline)) static long sum(int n, long factor) {
    long s = 0 * opaque_number(factor);
#ifdef BEFORE
#pragma omp parallel for reduction(+ : s)
    for (int i = 0; i < n; i++)
        s += i;
#endif
#pragma omp parallel for reduction(+ : s) num_threads(2)
    for (int i = 0; i < n; i++)
#if defined CAPTURE
        s += i * factor;
#elif defined BEFORE || defined LINES
        s += i * 2;
#else
        s += i * 3;
#endif
    return s;
}

void handle(const char *line) {
    int one = 1;
    long s = sum((int)opaque_number(100), opaque_number(3));
#pragma omp parallel for reduction(+ : one)
    for (int i = 0; i < 2; i++)
        one += 1;
    printf("%ld %d\n", s, one);
}
