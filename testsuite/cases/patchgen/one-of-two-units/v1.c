//#Build:mkdir -p a b && cp a.c a/part.c && cp b.c b/part.c && (cd a && $CC $CFLAGS -c part.c) && (cd b && $CC $CFLAGS -c part.c) && $CC $CFLAGS -c main.c && $CC main.o a/part.o b/part.o -o app $LDFLAGS
//#ExpectClosure:second
//#Send:go
//#Expect:1 2
//#Update:v2
//#Send:go
//#Expect:1 3
//#Revert
//#Send:go
//#Expect:1 2
// Two sources of one name, each compiled in its own folder: the one that did not change tells which the other is.
#include "serve.h"

long first(void);
long second(void);

void handle(const char *line) {
    (void)line;
    printf("%ld %ld\n", first(), second());
}
