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
        fputs("from here: ", stdout);
        complain("far too small", -n);
        puts("twice");
        return;
    }
    printf("%ld\n", n);
}

void handle(const char *line) { work(line, argument(line)); }
