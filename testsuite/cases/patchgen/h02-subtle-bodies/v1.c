//#CompArgs:-O1 -ffp-contract=off
//#Config:o1
//#ExpectChanged:width, zext, rmw, ordering, volatility, alignment, signedness, wrapping, index_of, shuffle, field, constant, phi, predicate, fast, callsite
//#Send:go
//#Expect:ok
#include "serve.h"

typedef int v4 __attribute__((vector_size(16)));
struct two { int a, b; };
__attribute__((noinline)) void sink(int n) { (void)n; __asm__ volatile(""); }
__attribute__((noinline)) long width(void *p) { return *(volatile int *)p; }
__attribute__((noinline)) long zext(int n) { return (long)(unsigned)n; }
__attribute__((noinline)) int rmw(int *p) { return __atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST); }
__attribute__((noinline)) int ordering(int *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
__attribute__((noinline)) int volatility(int *p) { return *p; }
__attribute__((noinline)) int alignment(char *p) { return *(int *)p; }
__attribute__((noinline)) int signedness(int n) { return n >> 3; }
__attribute__((noinline)) int wrapping(int n) { return n + 9; }
__attribute__((noinline)) int index_of(int *p) { return p[3]; }
__attribute__((noinline)) v4 shuffle(v4 a) { return __builtin_shufflevector(a, a, 0, 1, 3, 2); }
__attribute__((noinline)) int field(struct two t) { return t.a; }
__attribute__((noinline)) double constant(void) { return 0.1; }
__attribute__((noinline)) int phi(int c, int a, int b) { return c ? a : b; }
__attribute__((noinline)) int predicate(unsigned a, unsigned b) { return a < b; }
__attribute__((noinline)) double fast(double a, double b) { return a * b + a; }
__attribute__((noinline)) void callsite(void) { sink(0); }

// Look-alikes that must stay silent.
__attribute__((noinline)) int renamed(int before) {
    int local = before * 3;
    return local ^ before;
}
__attribute__((noinline)) int same(int a, int b) { return a + b; }

void handle(const char *line) { puts("ok"); }
