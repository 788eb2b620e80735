//#CompArgs:-O2 -mllvm -hot-cold-split=true
//#NoOracle:a call that began before the update ends as it began
//#ExpectSaid:work.cold.1
//#Send:go 5
//#Expect:5
//#Send:hold -5
//#Update:v2
//#Send:more
//#Expect:too small by 5
//#Send:go -5
//#Expect:from here: far too small by 5
//#Expect:twice
// A call that is in the old function when the update comes goes on to the piece that was cut off the old one.
#include "serve.h"

__attribute__((cold, noinline)) void complain(const char *text, long by) { printf("%s by %ld\n", text, by); }

__attribute__((noinline)) void wait_for_more(void) {
    char more[16];
    serve_ready();
    fgets(more, sizeof more, stdin);
}

__attribute__((noinline)) void work(const char *line, long n) {
    if (is(line, "hold"))
        wait_for_more();
    if (__builtin_expect(n < 0, 0)) {
        complain("too small", -n);
        return;
    }
    printf("%ld\n", n);
}

void handle(const char *line) { work(line, argument(line)); }
