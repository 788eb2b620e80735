//#Build:mkdir -p lib && P=$(cat place.txt) && cp part.c $P && $CC $CFLAGS -c $P -o part.o && $CC $CFLAGS -c main.c && $CC main.o part.o -o app $LDFLAGS
//#ExpectChanged:count
//#ExpectClosure:count
//#Send:go
//#Expect:call 1
//#Send:go
//#Expect:call 2
//#Update:v2
//#Send:go
//#Expect:call number 3
//#Revert
//#Send:go
//#Expect:call 4
// A source moves to another folder and changes: its static variable is still the program's own.
#include "serve.h"

void count(void);

void handle(const char *line) {
    (void)line;
    count();
}
