//#Consistency:thread
//#NoOracle:it is never updated
//#ExpectClosure:__regcall3__sum
//#Send:ask
//#Expect:3
//#ApplyFails:v2 35 --consistency newest
//#Send:ask
//#Expect:3
// A calling convention that passes arguments in every register leaves none to a dispatch stub.
#include "serve.h"

__attribute__((noinline, regcall)) long sum(long a, long b) { return opaque_number(a) + b; } //#v2: __attribute__((noinline, regcall)) long sum(long a, long b) { return opaque_number(a) + 10 * b; }

void handle(const char *line) {
    (void)line;
    printf("%ld\n", sum(1, 2));
}
