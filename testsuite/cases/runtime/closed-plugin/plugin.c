#include <stdio.h>

static int calls;

__attribute__((destructor)) static void unloaded(void) { puts("unloaded"); }

__attribute__((noinline)) static int answer(char *text, size_t size) {
    return snprintf(text, size, "old %d", ++calls); //#v2: static int by_patch;
//#v2+:
    //#v2+: return snprintf(text, size, "new %d, %d by the patch", ++calls, ++by_patch);
}

void ask(void) {
    char text[64];

    answer(text, sizeof text);
    puts(text);
}
