#define SERVE_OWN_MAIN
#include "serve.h"

static int count = 100;
__attribute__((noinline)) static int step(void) {
    return (int)opaque_number(++count); //#v2: return (int)opaque_number(++count + 10);
}
void second(void) { printf("second %d\n", step()); }
