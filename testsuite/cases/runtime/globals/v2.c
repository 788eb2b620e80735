// Old and new code share exported, static, pointer and array variables.
#include "serve.h"

long exported;
static long hidden[4];
static long *cursor = &hidden[2];

__attribute__((noinline)) void bump(long by) {
    exported += by * 2;
    *cursor += by;
}

__attribute__((noinline)) void show(void) { printf("%ld %ld\n", exported, hidden[2]); }

void handle(const char *line) {
    if (is(line, "bump"))
        bump(argument(line));
    show();
}
