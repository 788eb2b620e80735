//#Build:$CC $CFLAGS -DWHICH=first -c part.c -o a.o && $CC $CFLAGS -DWHICH=second -c part.c -o b.o && $CC $CFLAGS main.c a.o b.o -o app $LDFLAGS
//#ExpectRefused:ambiguous-unit part.c
//#Send:go
//#Expect:1 1
// One source compiled twice into one program, and no global name tells which is which.
#include "serve.h"

int first(void);
int second(void);

void handle(const char *line) { printf("%d %d\n", first(), second()); }
