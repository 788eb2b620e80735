//#ExpectClosure:show
//#Send:show
//#Expect:state 2
//#Update:v2
//#Send:show
//#Expect:state 5
#include "serve.h"

enum state { idle, busy, done }; //#v2: enum state { idle, busy, done = 5 };

__attribute__((noinline)) void show(void) {
    volatile enum state state = done;
    printf("state %d\n", (int)state);
}

void handle(const char *line) { show(); }
