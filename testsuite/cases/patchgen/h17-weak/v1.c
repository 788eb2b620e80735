//#Unit:strong.c
//#ExpectClosure:weak_alone
//#Send:go
//#Expect:strong 1
//#Update:v2
//#Send:go
//#Expect:strong 2
// A weak function that another unit overrides, and one that nobody does.
#include "serve.h"

__attribute__((weak, noinline)) const char *overridden(void) { return "weak"; }
__attribute__((weak, noinline)) int weak_alone(void) { return 1; } //#v2: __attribute__((weak, noinline)) int weak_alone(void) { return 2; }

void handle(const char *line) { printf("%s %d\n", overridden(), weak_alone()); }
