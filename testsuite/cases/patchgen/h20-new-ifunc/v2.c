#include "serve.h"

static int fast(void) { return 2; }
static int (*resolve(void))(void) { return fast; }
int chosen(void) __attribute__((ifunc("resolve")));

__attribute__((noinline)) int work(void) { return chosen(); }

void handle(const char *line) { printf("%d\n", work()); }
