//#ExpectChanged:walk
//#ExpectClosure:walk
//#Send:walk 4
//#Expect:old 4
//#Expect:old 0
//#Update:v2
//#Send:walk 4
//#Expect:new 4
//#Expect:new 0
//#Reject:old 0
//#Revert
//#Send:walk 2
//#Expect:old 2
//#Reject:new 2
#include "serve.h"

__attribute__((noinline)) long walk(long depth) {
    printf("old %ld\n", depth); //#v2: printf("new %ld\n", depth);
    return depth > 0 ? walk(depth - 1) + 1 : 0;
}

void handle(const char *line) { printf("depth %ld\n", walk(argument(line))); }
