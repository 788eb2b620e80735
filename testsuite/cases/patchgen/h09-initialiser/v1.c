//#ExpectRefused:data-changed limit
//#Send:show
//#Expect:10
// The old object keeps the old value; silently keeping it would be a fix that does not fix.
#include "serve.h"

int limit = 10; //#v2: int limit = 20;

void handle(const char *line) {
    if (is(line, "raise"))
        limit++;
    printf("%d\n", limit);
}
