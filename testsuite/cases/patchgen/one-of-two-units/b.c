#define SERVE_OWN_MAIN
#include "serve.h"

long second(void) { return opaque_number(2); } //#v2: long second(void) { return opaque_number(3); }
