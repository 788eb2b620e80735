//#ExpectClosure:second
//#Send:go
//#Expect:first 1 second 2
//#Update:v2
//#Send:go
//#Expect:first 1 second 3
// `__func__` and its kin are constants whose names the compiler numbers.
#include "serve.h"

//#v2+: __attribute__((unused)) static const char *zeroth(void) { return __func__; }
__attribute__((noinline)) static void first(void) { printf("%s 1 ", opaque(__func__)); }
__attribute__((noinline)) static void second(void) { printf("%s 2\n", opaque(__func__)); } //#v2: __attribute__((noinline)) static void second(void) { printf("%s 3\n", opaque(__func__)); }

void handle(const char *line) {
    first();
    second();
}
