//#ExpectRefused:ambiguous-static count
//#Send:go
//#Expect:1
#include "serve.h"

// Two statics of one name in one function become three: which is whose?
__attribute__((noinline)) void tick(int n) {
    if (n) { //#v2: if (n > 1) {
        //#v2+: static int count;
        //#v2+: printf("%d\n", ++count * 3);
    //#v2+: } else if (n) {
        static int count;
        printf("%d\n", ++count);
    } else {
        static int count;
        printf("%d\n", ++count * 2);
    }
}

void handle(const char *line) { tick(1); }
