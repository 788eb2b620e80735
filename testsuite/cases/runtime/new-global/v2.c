#include "serve.h"

int visits = 7;
static long sums[100];

__attribute__((noinline)) void visit(void) {
    visits++;
    printf("visit %d of sum %ld\n", visits, sums[visits - 1]);
    sums[visits] += visits;
}

void handle(const char *line) { visit(); }
