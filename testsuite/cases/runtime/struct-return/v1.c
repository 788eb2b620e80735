//#ExpectClosure:make_big, make_small
//#Send:go 3
//#Expect:big 3 6 9 small 3
//#Update:v2
//#Send:go 3
//#Expect:big 4 7 10 small -3
//#Revert
//#Send:go 3
//#Expect:big 3 6 9 small 3
// Returned through memory, and in registers.
#include "serve.h"

struct big { long a, b, c; char pad[64]; };
struct small { int a; float b; };

__attribute__((noinline)) struct big make_big(long n) { return (struct big){n, n * 2, n * 3, {0}}; } //#v2: __attribute__((noinline)) struct big make_big(long n) { return (struct big){n + 1, n * 2 + 1, n * 3 + 1, {0}}; }
__attribute__((noinline)) struct small make_small(int n) { return (struct small){n, 0.5f}; } //#v2: __attribute__((noinline)) struct small make_small(int n) { return (struct small){-n, 0.5f}; }

void handle(const char *line) {
    struct big big = make_big(argument(line));
    struct small small = make_small((int)argument(line));
    printf("big %ld %ld %ld small %d\n", big.a, big.b, big.c, small.a);
}
