//#Config:o2
//#ExpectClosure:mix
//#Send:go 3
//#Expect:3 6.0 4.5 12 1.5
//#Update:v2
//#Send:go 3
//#Expect:4 7.0 5.5 13 2.5
//#Revert
//#Send:go 3
//#Expect:3 6.0 4.5 12 1.5
//#Config:o0:o2
//#CompArgs:-O0
// Arguments that travel in vector registers, on the x87 stack and in pairs of registers.
#include "serve.h"

typedef float four __attribute__((vector_size(16)));
struct mixed {
    long a;
    double b;
};

__attribute__((noinline)) static struct mixed mix(four v, _Float16 h, __int128 wide, long double x, struct mixed by, ...) {
    char text[64];
    snprintf(text, sizeof text, "%ld %.1f %.1f %ld", (long)v[0], (double)x, (double)h, (long)(wide >> 64)); //#v2: snprintf(text, sizeof text, "%ld %.1f %.1f %ld", (long)v[0] + 1, (double)x + 1, (double)h + 1, (long)(wide >> 64) + 1);
    fputs(text, stdout);
    return (struct mixed){by.a, by.b}; //#v2: return (struct mixed){by.a, by.b + 1};
}

void handle(const char *line) {
    long n = argument(line);
    struct mixed m = mix((four){(float)n, 1, 2, 3}, (_Float16)(n * 1.5f), (__int128)(n * 4) << 64, n * 2.0L, (struct mixed){n, n / 2.0}, n);
    printf(" %.1f\n", m.b);
}
