#include <stdio.h>

static int calls;

__attribute__((destructor)) static void unloaded(void) { puts("unloaded"); }

__attribute__((noinline)) static int answer(char *text, size_t size) {
    return snprintf(text, size, "old %d", ++calls); //#v2: return snprintf(text, size, "new %d", ++calls);
}

void ask(void) {
    char text[64];

    answer(text, sizeof text);
    puts(text);
}
