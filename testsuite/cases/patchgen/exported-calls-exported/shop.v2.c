#include <stdio.h>
__attribute__((noinline)) long fib(long n) { return n < 2 ? n * 10 : fib(n - 1) + fib(n - 2); }
__attribute__((noinline)) int name(void) { return puts("the library's"); }
int visit(int n) { return name() < 0 ? 0 : (int)fib(n) + 1; }
