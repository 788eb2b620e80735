// One small program that has a little of everything, under flags that change how it is compiled and linked.
#include "serve.h"

enum number { one = 1, two, three };
static char large[100000];
static const long prices[] = {0, 10, 20, 30, 40};
static int calls = 6;

__attribute__((noinline)) static const char *name(enum number n) {
    switch (n) {
    case one: return "one";
    case two: return "two";
    case three: return opaque("THREE");
    }
    return "many";
}

void handle(const char *line) {
    long n = argument(line);
    large[n] = (char)n;
    printf("%s %ld %d\n", name((enum number)large[n]), opaque_number(prices[n]) + 1, calls + 2);
}
