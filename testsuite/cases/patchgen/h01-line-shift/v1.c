//#Config:o2
//#CompArgs:-O2 -g
//#ExpectNoChange
//#Config:o0:o2
//#CompArgs:-O0
#include "serve.h"
#include <assert.h>

__attribute__((noinline)) void check(long n) {
    assert(n < 100);
    assert(n != 7 && "unlucky");
}

void handle(const char *line) {
    check(argument(line));
    puts(__func__);
}
