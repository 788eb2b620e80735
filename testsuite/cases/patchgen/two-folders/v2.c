// Built outside of the sources' folder, which is another one for each version: the paths differ, and the program's own file shows
// other files nothing but `main`.
#include "serve.h"

void call_back(void (*step)(void));

__attribute__((noinline)) static void step(void) {
    static long calls;
    printf("v2 %ld\n", ++calls);
}

__attribute__((constructor)) static void start(void) { call_back(step); }
