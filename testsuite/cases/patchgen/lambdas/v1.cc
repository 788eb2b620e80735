//#Compiler:dsu-c++
//#Dispatch:armed
//#Consistency:newest
//#Send:3
//#Expect:saved 36
//#Config:one-before
//#CompArgs:-O2 -DKIND=1
//#Send:3
//#Expect:saved 36
//#Update:v2
//#Send:3
//#Expect:still 36
//#Config:the-lambda-itself
//#CompArgs:-O2 -DKIND=2
//#NoOracle:what is saved was made by the old code
//#Send:3
//#Expect:saved 36
//#Update:v2
//#Send:3
//#Expect:still 1036
//#Config:captures-more
//#CompArgs:-O2 -DKIND=3
//#ExpectRefused:layout-changed unnamed type of _ZZL4makelENK3$_0clEl
//#Config:two-could-be
//#CompArgs:-O2 -DKIND=4
//#ExpectRefused:unpaired-function make
//#Config:nothing-else
//#CompArgs:-O2 -DKIND=5
//#ExpectClosure:_ZL4firel
// A lambda that is kept runs the code of its number in the source; in v2 another one has that number.
#include "serve.h"
#include <functional>

static std::function<long(long)> saved;

__attribute__((noinline)) static void make(long by) {
    long z = opaque_number(7);
    (void)z;
    saved = [by](long x) { return x * 10 + by + opaque_number(3); };
}

__attribute__((noinline)) static void fire(long x) { printf("saved %ld\n", saved(x)); }

void handle(const char *line) {
    if (!saved)
        make(3);
    fire(line[0] - '0');
}
