//#Dispatch:armed
//#Consistency:newest
//#Build:P=$(cat names.txt) && cp first.c gen_$P.1.c && cp second.c gen_$P.2.c && cp third.c gen_$P.3.c && $CC $CFLAGS -c main.c gen_*.c && $CC main.o gen_*.o -o app $LDFLAGS
//#ExpectClosure:step
//#Send:go
//#Expect:1 first 10 20
//#Send:go
//#Expect:2 first 10 20
//#Update:v2
//#Send:go
//#Expect:3 changed 10 20
//#Revert
//#Send:go
//#Expect:4 first 10 20
// Generated sources have other names in each build, and show other files nothing: what they define tells which is which.
#include "serve.h"

static long (*callbacks[3])(void);
static const char *(*text)(void);
void add(int at, long (*callback)(void)) { callbacks[at] = callback; }
void set_text(const char *(*function)(void)) { text = function; }

void handle(const char *line) {
    (void)line;
    printf("%ld %s %ld %ld\n", callbacks[0](), text(), callbacks[1](), callbacks[2]());
}
