//#Consistency:newest
//#ExpectChanged:up(signature), down(signature), step(body)
//#ExpectClosure:step, up, down
//#Send:up 3
//#Expect:4
//#Send:hold 5
//#Update:v2
//#Send:more
//#Expect:4
//#Send:up 3
//#Expect:13
//#Send:down 3
//#Expect:-7
// A function chooses which of two others to call: their addresses never leave it, so they may be called otherwise.
#include "serve.h"

__attribute__((noinline)) static long up(long value) { return value + opaque_number(1); } //#v2: __attribute__((noinline)) static long up(long value, long by) { return value + opaque_number(by); }

__attribute__((noinline)) static long down(long value) { return value - opaque_number(1); } //#v2: __attribute__((noinline)) static long down(long value, long by) { return value - opaque_number(by); }

__attribute__((noinline)) static long step(const char *line) {
    long (*way)(long) = is(line, "up") ? up : down; //#v2: long (*way)(long, long) = is(line, "up") ? up : down;
    if (is(line, "hold")) {
        char more[16];
        serve_ready();
        fgets(more, sizeof more, stdin);
    }
    return way(argument(line)); //#v2: return way(argument(line), is(line, "hold") ? 1 : 10);
}

void handle(const char *line) { printf("%ld\n", step(line)); }
