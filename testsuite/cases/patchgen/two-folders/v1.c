//#Dispatch:armed
//#Consistency:newest
//#Build:mkdir -p build && cd build && S=$(dirname "$PWD") && $CC $CFLAGS -c $S/main.c && $CC $CFLAGS -c $S/part.c && $CC main.o part.o -o ../app $LDFLAGS
//#ExpectClosure:step
//#Send:go
//#Expect:v1 1
//#Send:go
//#Expect:v1 2
//#Update:v2
//#Send:go
//#Expect:v2 3
//#Revert
//#Send:go
//#Expect:v1 4
// Built outside of the sources' folder, which is another one for each version: the paths differ, and the program's own file shows
// other files nothing but `main`.
#include "serve.h"

void call_back(void (*step)(void));

__attribute__((noinline)) static void step(void) {
    static long calls;
    printf("v1 %ld\n", ++calls);
}

__attribute__((constructor)) static void start(void) { call_back(step); }
