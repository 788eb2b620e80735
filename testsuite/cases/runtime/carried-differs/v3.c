#include "serve.h"

static int limit = 20;

__attribute__((noinline)) void visit(void) { printf("limit %d\n", ++limit); }

void handle(const char *line) { visit(); }
