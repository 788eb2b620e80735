//#ExpectSkipped:resolve: ifunc resolver
//#ExpectClosure:caller
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:101
// New code calls through the ifunc that the program chose when it started; a weak undefined name stays null.
#include "serve.h"

extern void absent(void) __attribute__((weak));
static int chosen(void) { return 1; }
static int (*resolve(void))(void) { return chosen; }
int fast(void) __attribute__((ifunc("resolve")));

__attribute__((noinline)) int caller(void) { return (int)opaque_number(fast() + (absent != NULL)); } //#v2: __attribute__((noinline)) int caller(void) { return (int)opaque_number(fast() + (absent != NULL) + 100); }

void handle(const char *line) { printf("%d\n", caller()); }
