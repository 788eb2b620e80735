#include "serve.h"

int part(int);

__attribute__((noinline)) static int here(long n) { return (int)n + 8; }

void handle(const char *line) { printf("%d %d\n", part((int)strlen(line)), here(opaque_number(1))); }
