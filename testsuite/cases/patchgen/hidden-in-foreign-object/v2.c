#include "serve.h"

__attribute__((visibility("hidden"))) int added(int x);
extern __attribute__((visibility("hidden"))) int count;

__attribute__((noinline)) void answer(void) {
    int sum = added((int)opaque_number(7));
    printf("%d of %d\n", sum, count);
}

void handle(const char *line) {
    (void)line;
    answer();
}
