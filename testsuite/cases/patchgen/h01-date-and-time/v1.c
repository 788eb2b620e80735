//#Build:sleep 1.1; $CC $CFLAGS main.c -o app $LDFLAGS
//#ExpectClosure:version
//#Send:version
//#Expect:1
//#Send:length
//#Expect:20
//#Update:v2
//#Send:version
//#Expect:2
//#Send:length
//#Expect:20
// Every build has another time in it, which is no change.
#include "serve.h"

static const char built[] = __DATE__ " " __TIME__;

__attribute__((noinline)) static int version(void) { return (int)opaque_number(1); } //#v2: __attribute__((noinline)) static int version(void) { return (int)opaque_number(2); }
__attribute__((noinline)) static int length(void) { return (int)strlen(opaque(built)); }

void handle(const char *line) { printf("%d\n", is(line, "version") ? version() : length()); }
