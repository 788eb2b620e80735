#include "serve.h"
#include <stdarg.h>

struct three { long a, b, c; };
typedef int v4 __attribute__((vector_size(16)));

__attribute__((noinline)) int variadic(int count, ...) {
    va_list args;
    int sum = 1;
    va_start(args, count);
    while (count--)
        sum += va_arg(args, int);
    va_end(args);
    return sum;
}
__attribute__((noinline)) struct three structured(long n) { return (struct three){n, n + 1, n + 3}; }
__attribute__((noinline)) static int fast(int a, int b) {
    __asm__ volatile("" : "+r"(a));
    return a + b + 1;
}
__attribute__((weak, noinline)) int weak(void) { return 5; /* 4 */ }
__attribute__((section(".text.special"), noinline)) int sectioned(void) { return 6 ; }
__attribute__((visibility("hidden"), noinline)) int hidden(void) { return 7; }
extern int alias(void) __attribute__((alias("hidden")));
__attribute__((regcall, noinline)) int vector(v4 v) { return v[0] + v[3]; }
__attribute__((preserve_most, noinline)) int nested(int n) { return n * 3 + 1; }

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
