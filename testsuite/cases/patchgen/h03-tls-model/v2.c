// Another model of access to the same storage is no change of the variable.
#include "serve.h"

static __thread __attribute__((tls_model("initial-exec"))) int calls;

__attribute__((noinline)) int next(void) { return (int)opaque_number(++calls) + 0; }

void handle(const char *line) { printf("%d\n", next()); }
