#include "serve.h"

static int limit = 10;

__attribute__((noinline)) void visit(void) { printf("limit %d\n", ++limit); }

void handle(const char *line) { visit(); }
