#include <stdio.h>

static int calls;

__attribute__((noinline)) void count(void) { printf("call number %d\n", ++calls); }

void nothing_else(void) {}
