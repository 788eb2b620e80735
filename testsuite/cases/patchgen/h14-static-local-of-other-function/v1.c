//#ExpectClosure:second
//#Send:first
//#Expect:first 1
//#Send:second
//#Expect:second 1
//#Send:second
//#Expect:second 2
//#Update:v2
//#Send:second
//#Expect:second 13
//#Send:first
//#Expect:first 2
// `first.count` and `second.count`: never each other's.
#include "serve.h"

__attribute__((noinline)) void first(void) {
    static int count;
    printf("first %d\n", ++count);
}
__attribute__((noinline)) void second(void) {
    static int count;
    printf("second %d\n", ++count); //#v2: printf("second %d\n", ++count + 10);
}

void handle(const char *line) {
    if (is(line, "first"))
        first();
    else
        second();
}
