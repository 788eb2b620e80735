// Comments and blank lines push everything down; every assert has another line number now.



#include "serve.h"

#include <assert.h>


__attribute__((noinline)) void check(long n) {
    // not a change
    assert(n < 100);

    assert(n != 7 && "unlucky");
}

void handle(const char *line) {

    check(argument(line));
    puts(__func__);
}
