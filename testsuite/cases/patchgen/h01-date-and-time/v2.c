// Every build has another time in it, which is no change.
#include "serve.h"

static const char built[] = __DATE__ " " __TIME__;

__attribute__((noinline)) static int version(void) { return (int)opaque_number(2); }
__attribute__((noinline)) static int length(void) { return (int)strlen(opaque(built)); }

void handle(const char *line) { printf("%d\n", is(line, "version") ? version() : length()); }
