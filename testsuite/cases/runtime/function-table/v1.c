//#ExpectClosure:do_get
//#Send:get
//#Expect:get 1
//#Send:put
//#Expect:put
//#Update:v2
//#Send:get
//#Expect:get 2
//#Send:put
//#Expect:put
// The commands of a server: a table of names and functions, searched and called through.
#include "serve.h"

struct command {
    const char *name;
    void (*run)(void);
};

__attribute__((noinline)) static void do_get(void) { puts("get 1"); } //#v2: __attribute__((noinline)) static void do_get(void) { puts("get 2"); }
__attribute__((noinline)) static void do_put(void) { puts("put"); }

static struct command commands[] = {{"get", do_get}, {"put", do_put}};

void handle(const char *line) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (is(line, commands[i].name))
            commands[i].run();
}
