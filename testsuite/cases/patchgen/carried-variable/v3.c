#include "serve.h"

long visits;

__attribute__((noinline)) void visit(void) {
    static int calls;
    visits++;
    calls++;
    printf("visit %ld, %d by name, third version\n", visits, calls);
}

void handle(const char *line) { visit(); }
