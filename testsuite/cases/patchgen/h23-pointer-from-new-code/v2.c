// New code hands out the address of a new function; it is valid even after the revert.
#include "serve.h"

// volatile, or the compiler would keep no more of it than whether it was set
static void (*volatile current)(void);
void old(void) { puts("old rule"); }

__attribute__((noinline)) void choose(void);
void fresh(void) { puts("fresh rule"); }
void choose(void) { current = fresh; }

void handle(const char *line) {
    if (is(line, "choose"))
        choose();
    else
        current();
}
