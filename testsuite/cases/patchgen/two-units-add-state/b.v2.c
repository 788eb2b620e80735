#define SERVE_OWN_MAIN
#include "serve.h"

long second(void) {
    static long calls;
    return opaque_number(3) + ++calls;
}
