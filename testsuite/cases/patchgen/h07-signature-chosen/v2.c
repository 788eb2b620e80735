#include "serve.h"

__attribute__((noinline)) static long up(long value, long by) { return value + opaque_number(by); }

__attribute__((noinline)) static long down(long value, long by) { return value - opaque_number(by); }

__attribute__((noinline)) static long step(const char *line) {
    long (*way)(long, long) = is(line, "up") ? up : down;
    if (is(line, "hold")) {
        char more[16];
        serve_ready();
        fgets(more, sizeof more, stdin);
    }
    return way(argument(line), is(line, "hold") ? 1 : 10);
}

void handle(const char *line) { printf("%ld\n", step(line)); }
