#include "serve.h"

int answer(const char *);
const char *named(int);

__attribute__((noinline)) static void here(int n, long more) { printf("%d %ld, and more\n", n, more + 8); }

void handle(const char *line) { here(answer(line) + (int)strlen(named(line[1] - 'n')), opaque_number(1)); }
