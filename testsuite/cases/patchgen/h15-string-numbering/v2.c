// A new literal renumbers all others (`.str.1` -> `.str.2`): content counts, numbers do not.
#include "serve.h"

__attribute__((noinline)) void third(void) {
    puts("zero");
    puts("THREE");
}
__attribute__((noinline)) void first(void) { puts("one"); }
__attribute__((noinline)) void second(int n) {
    int table[] = {11, 22, 33, 44, 55, 66, 77, 88};
    printf("two\n%d\n", table[n & 7]);
}

void handle(const char *line) {
    third();
    first();
    second((int)argument(line));
}
