//#Unit:wrappers.c
//#CompArgs:-O2 -fno-builtin
//#ExpectRefused:wrapped-symbol abs
//#Send:go
//#Expect:1
// There is a function that `--wrap=abs` would lead to, but no sign whether it was given.
#include "serve.h"

void handle(const char *line) { printf("%d\n", 1); }
