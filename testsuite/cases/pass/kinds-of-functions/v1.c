//#Config:o2
//#Send:go
//#Expect:variadic 6
//#Expect:struct 7
//#Expect:fast 3
//#Expect:weak 4
//#Expect:section 5
//#Expect:hidden 6
//#Expect:alias 6
//#Expect:vector 8
//#Expect:nested 9
//#Update:v2
//#Send:go
//#Expect:variadic 7
//#Expect:struct 8
//#Expect:fast 4
//#Expect:weak 5
//#Expect:section 6
//#Expect:hidden 7
//#Expect:alias 7
//#Expect:vector 8
//#Expect:nested 10
//#Revert
//#Send:go
//#Expect:variadic 6
//#Config:o0:o2
//#CompArgs:-O0
//#Config:o3:o2
//#CompArgs:-O3 -fno-inline
//#Config:cet:o2
//#CompArgs:-O2 -fcf-protection=branch
//#Config:no-pie:o2
//#CompArgs:-O2 -fno-pie
//#LinkArgs:-no-pie
//#Config:sections:o2
//#CompArgs:-O2 -ffunction-sections -g
//#LinkArgs:-Wl,--gc-sections
// Functions of every kind, most of which change. A `regcall` function that changed could not be switched by thread.
#include "serve.h"
#include <stdarg.h>

struct three { long a, b, c; };
typedef int v4 __attribute__((vector_size(16)));

__attribute__((noinline)) int variadic(int count, ...) {
    va_list args;
    int sum = 0; //#v2: int sum = 1;
    va_start(args, count);
    while (count--)
        sum += va_arg(args, int);
    va_end(args);
    return sum;
}
__attribute__((noinline)) struct three structured(long n) { return (struct three){n, n + 1, n + 2}; } //#v2: __attribute__((noinline)) struct three structured(long n) { return (struct three){n, n + 1, n + 3}; }
__attribute__((noinline)) static int fast(int a, int b) {
    __asm__ volatile("" : "+r"(a));
    return a + b; //#v2: return a + b + 1;
}
__attribute__((weak, noinline)) int weak(void) { return 4; } //#v2: __attribute__((weak, noinline)) int weak(void) { return 5; /* 4 */ }
__attribute__((section(".text.special"), noinline)) int sectioned(void) { return 5; } //#v2: __attribute__((section(".text.special"), noinline)) int sectioned(void) { return 6 ; }
__attribute__((visibility("hidden"), noinline)) int hidden(void) { return 6; } //#v2: __attribute__((visibility("hidden"), noinline)) int hidden(void) { return 7; }
extern int alias(void) __attribute__((alias("hidden")));
__attribute__((regcall, noinline)) int vector(v4 v) { return v[0] + v[3]; }
__attribute__((preserve_most, noinline)) int nested(int n) { return n * 3; } //#v2: __attribute__((preserve_most, noinline)) int nested(int n) { return n * 3 + 1; }

void handle(const char *line) {
    printf("variadic %d\n", variadic(3, 1, 2, 3));
    printf("struct %ld\n", structured(5).c);
    printf("fast %d\n", fast(1, 2));
    printf("weak %d\n", weak());
    printf("section %d\n", sectioned());
    printf("hidden %d\n", hidden());
    printf("alias %d\n", alias());
    printf("vector %d\n", vector((v4){3, 0, 0, 5}));
    printf("nested %d\n", nested(3));
}
