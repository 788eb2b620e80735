#define SERVE_OWN_MAIN
#include "serve.h"

long first(void) { return opaque_number(1); }
