//#ExpectClosure:work
//#Send:go
//#Expect:absent 1
//#Update:v2
//#Send:go
//#Expect:absent 2
// A weak function that nobody defines is null, in old code and in new.
#include "serve.h"

extern int hook(void) __attribute__((weak));

__attribute__((noinline)) void work(void) {
    if (hook)
        printf("present %d\n", hook());
    else
        printf("absent %d\n", 1); //#v2: printf("absent %d\n", 2);
}

void handle(const char *line) { work(); }
