// The fix uses functions of libc that the program did not: the dynamic linker finds them, versions and all.
#include "serve.h"
#include <ctype.h>

__attribute__((noinline)) void shout(const char *text) {
    char copy[32];
    for (int i = 0; (copy[i] = (char)toupper(text[i])); i++)
        continue;
    char *again = strdup(copy);
    printf("%s %zu\n", again, strnlen(again, 32));
    free(again);
}

void handle(const char *line) { shout("hello"); }
