//#ExpectChanged:describe(body)
//#ExpectClosure:describe
//#Send:list
//#Expect:2 kinds
//#Update:v2
//#Send:list
//#Expect:3 kinds
//#Expect:last is brown
// A const table inside the changed function: content, not data.
#include "serve.h"

__attribute__((noinline)) void describe(void) {
    static const char *const kinds[] = {"red", "green"}; //#v2: static const char *const kinds[] = {"red", "green", "brown"};
    size_t count = sizeof kinds / sizeof *kinds;
    volatile size_t last = count - 1;
    printf("%zu kinds\n", count);
    printf("last is %s\n", kinds[last]);
}

void handle(const char *line) { describe(); }
