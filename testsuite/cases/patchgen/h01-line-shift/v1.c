//#Config:o2
//#CompArgs:-O2 -g
//#ExpectNoChange
//#Config:o0:o2
//#CompArgs:-O0
#include "serve.h"
//#v2+:
#include <assert.h>

//#v2+:
__attribute__((noinline)) void check(long n) {
    //#v2+: // not a change
    assert(n < 100);
//#v2+:
    assert(n != 7 && "unlucky");
}

void handle(const char *line) {
//#v2+:
    check(argument(line));
    puts(__func__);
}
