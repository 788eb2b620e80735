//#ExpectChanged:second(removed), handle(body)
//#Send:go
//#Expect:3
//#Update:v2
//#Send:go
//#Expect:4
#include "serve.h"

__attribute__((noinline)) int first(void) { return (int)opaque_number(3); }
int second(void) __attribute__((alias("first"))); //#v2-

void handle(const char *line) { printf("%d\n", second()); } //#v2: void handle(const char *line) { printf("%d\n", first() + 1); }
