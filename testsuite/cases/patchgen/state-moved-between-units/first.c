#include <stdio.h>

static int calls;

__attribute__((noinline)) void count(void) { printf("call %d\n", ++calls); }

void nothing(void) {}
