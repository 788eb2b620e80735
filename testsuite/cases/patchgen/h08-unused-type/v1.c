//#ExpectChanged:show
//#ExpectClosure:show
//#Send:show
//#Expect:1
//#Update:v2
//#Send:show
//#Expect:2
// A struct that lives only inside one call: no object of it is older than the update.
#include "serve.h"

struct local { long a; };

__attribute__((noinline)) void show(void) {
    volatile struct local value = {1}; //#v2: volatile struct local value = {2};
    printf("%ld\n", value.a);
}

void handle(const char *line) { show(); }
