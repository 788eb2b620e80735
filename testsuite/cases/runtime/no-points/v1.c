//#DsuArgs:--dsu-points=points.txt --dsu-outline-loops=off
//#Consistency:thread
//#NoOracle:it is never updated
//#ExpectClosure:answer
//#Send:ask
//#Expect:old
//#ApplyFails:v2 38 --consistency newest
//#Send:ask
//#Expect:old
// Without a single point no thread could ever move, which is said before anything is done.
#include "serve.h"

__attribute__((noinline)) const char *answer(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *answer(void) { return opaque("new"); }

void handle(const char *line) {
    (void)line;
    puts(answer());
}
