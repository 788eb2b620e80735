//#Dispatch:armed
//#Consistency:newest
//#Build:if grep -q one how.txt; then cp whole.c of_whole.c; else cp left.c of_left.c && cp right.c of_right.c; fi && $CC $CFLAGS -c main.c of_*.c && $CC main.o of_*.o -o app $LDFLAGS
//#ExpectRefused:unpaired-unit may be `
//#Send:go
//#Expect:1 1
// A file was cut in two, of which either could be the old one: neither is passed over.
#include "serve.h"

static long (*callbacks[2])(void);
void add(int at, long (*callback)(void)) { callbacks[at] = callback; }

void handle(const char *line) {
    (void)line;
    printf("%ld %ld\n", callbacks[0](), callbacks[1] ? callbacks[1]() : 1);
}
