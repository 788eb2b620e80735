// `__func__` and its kin are constants whose names the compiler numbers.
#include "serve.h"

__attribute__((unused)) static const char *zeroth(void) { return __func__; }
__attribute__((noinline)) static void first(void) { printf("%s 1 ", opaque(__func__)); }
__attribute__((noinline)) static void second(void) { printf("%s 3\n", opaque(__func__)); }

void handle(const char *line) {
    first();
    second();
}
