#include <stdio.h>

static int calls;

__attribute__((noinline)) static int answer(char *text, size_t size) {
    return snprintf(text, size, "old %d", ++calls); //#v2: return snprintf(text, size, "new %d", ++calls);
}

/* The number of calls since the plugin was loaded: its variables are not those of an earlier one. */
int ask(void) {
    char text[64];

    answer(text, sizeof text);
    return calls;
}
