//#ExpectRefused:constructor setup
//#Send:go
//#Expect:0
// It would not run in a process that started long ago, and must not run by surprise.
#include "serve.h"

static int ready;

//#v2+: __attribute__((constructor)) static void setup(void) { ready = (int)opaque_number(1); }
//#v2+:
void handle(const char *line) { printf("%d\n", ready); }
