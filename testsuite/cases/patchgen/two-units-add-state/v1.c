//#Build:mkdir -p a b && cp a.c a/part.c && cp b.c b/part.c && (cd a && $CC $CFLAGS -c part.c) && (cd b && $CC $CFLAGS -c part.c) && $CC $CFLAGS -c main.c && $CC main.o a/part.o b/part.o -o app $LDFLAGS
//#ExpectRefused:ambiguous-unit adds `
//#Send:go
//#Expect:1 2
// One of two sources of one name adds a static variable: a later patch could not tell whose it is.
#include "serve.h"

long first(void);
long second(void);

void handle(const char *line) {
    (void)line;
    printf("%ld %ld\n", first(), second());
}
