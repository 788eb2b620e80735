//#ExpectRefused:dissolved-state last
//#Send:go
//#Expect:ok
#include "serve.h"

// v1 never reads `last`, so no such object exists, and what was stored is lost; v2 reads it.
static int last;

void handle(const char *line) {
    //#v2+: printf("%d\n", last);
    last = line[0];
    puts("ok"); //#v2-
}
