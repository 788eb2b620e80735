//#ExpectClosure:walk
//#Send:list
//#Expect:alpha
//#Expect:beta
//#Update:v2
//#Send:list
//#Expect:new alpha
//#Expect:new beta
// Only the walker changes: it walks the program's array, not one of its own.
#include "serve.h"

struct entry { const char *name; };
#define REGISTER(n) __attribute__((section("registry"), used)) static const struct entry n = {#n}
extern const struct entry __start_registry[], __stop_registry[];

REGISTER(alpha);
REGISTER(beta);

__attribute__((noinline)) void walk(void) {
    for (const struct entry *e = __start_registry; e < __stop_registry; e++)
        printf("%s\n", e->name); //#v2: printf("new %s\n", e->name);
}

void handle(const char *line) { walk(); }
