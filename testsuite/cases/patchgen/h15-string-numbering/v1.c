//#ExpectChanged:third
//#ExpectClosure:third
//#Send:all
//#Expect:one
//#Expect:two
//#Expect:three
//#Update:v2
//#Send:all
//#Expect:zero
//#Expect:one
//#Expect:two
//#Expect:THREE
// A new literal renumbers all others (`.str.1` -> `.str.2`): content counts, numbers do not.
#include "serve.h"

__attribute__((noinline)) void third(void) { puts("three"); } //#v2: __attribute__((noinline)) void third(void) {
    //#v2+: puts("zero");
    //#v2+: puts("THREE");
//#v2+: }
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
