//#ExpectClosure:tick, extra
//#Send:a
//#Expect:a 1
//#Send:b
//#Expect:b 1
//#Send:b
//#Expect:b 2
//#Update:v2
//#Send:a
//#Expect:a 2 new
//#Send:b
//#Expect:b 3 new
//#Send:c
//#Expect:c 6
// Two statics of one name; new ones of that name elsewhere shift their numbers, and each finds its own old storage.
#include "serve.h"

__attribute__((noinline)) void tick(const char *line) {
    if (is(line, "a")) {
        static int count;
        printf("a %d\n", ++count);
    } else {
        static int count;
        printf("b %d\n", ++count);
    }
}

void handle(const char *line) { tick(line); }
