#include "serve.h"

typedef int v4 __attribute__((vector_size(16)));
struct two { int a, b; };
__attribute__((noinline)) void sink(int n) { (void)n; __asm__ volatile(""); }
__attribute__((noinline)) long width(void *p) { return *(volatile long *)p; }
__attribute__((noinline)) long zext(int n) { return (long)(unsigned short)n; }
__attribute__((noinline)) int rmw(int *p) { return __atomic_fetch_or(p, 1, __ATOMIC_SEQ_CST); }
__attribute__((noinline)) int ordering(int *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
__attribute__((noinline)) int volatility(int *p) { return *(volatile int *)p; }
__attribute__((noinline)) int alignment(char *p) { int n; __builtin_memcpy(&n, p, 4); return n; }
__attribute__((noinline)) int signedness(int n) { return (int)((unsigned)n >> 3); }
__attribute__((noinline)) int wrapping(int n) { return (int)((unsigned)n + 9u); }
__attribute__((noinline)) int index_of(int *p) { return p[4]; }
__attribute__((noinline)) v4 shuffle(v4 a) { return __builtin_shufflevector(a, a, 0, 1, 2, 3) + 0 * a + a; }
__attribute__((noinline)) int field(struct two t) { return t.b; }
__attribute__((noinline)) double constant(void) { return 0.10000000000000002; }
__attribute__((noinline)) int phi(int c, int a, int b) { return c ? b : a; }
__attribute__((noinline)) int predicate(unsigned a, unsigned b) { return a <= b; }
__attribute__((noinline)) double fast(double a, double b) { _Pragma("clang fp reassociate(on)") return a * b + a; }
__attribute__((noinline)) void callsite(void) { __attribute__((nomerge)) sink(0); }

// Look-alikes that must stay silent.
__attribute__((noinline)) int renamed(int after) {
    int other = after * 3;
    return other ^ after;
}
__attribute__((noinline)) int same(int a, int b) { return a + b; }

void handle(const char *line) { puts("ok"); }
