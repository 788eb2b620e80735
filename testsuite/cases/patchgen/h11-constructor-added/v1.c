//#ExpectRefused:constructor setup
//#Send:go
//#Expect:0
// It would not run in a process that started long ago, and must not run by surprise.
#include "serve.h"

static int ready;

void handle(const char *line) { printf("%d\n", ready); }
