//#ExpectRefused:section-changed beta
//#Send:list
//#Expect:alpha
// Entries of a linker-made array: a new one would never be found by those who walk it.
#include "serve.h"

struct entry { const char *name; };
#define REGISTER(n) __attribute__((section("registry"), used)) static const struct entry n = {#n}
extern const struct entry __start_registry[], __stop_registry[];

REGISTER(alpha);
//#v2+: REGISTER(beta);

void handle(const char *line) {
    for (const struct entry *e = __start_registry; e < __stop_registry; e++)
        puts(e->name);
}
