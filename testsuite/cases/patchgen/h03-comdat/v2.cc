// An inline function becomes an ordinary one: no longer one of several that the linker picks from.
#include "serve.h"

__attribute__((noinline)) long three() { return opaque_number(4); }

void handle(const char *line) { printf("%ld\n", three()); }
