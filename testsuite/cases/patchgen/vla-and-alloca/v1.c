//#ExpectClosure:mirror
//#Send:go abc
//#Expect:cba
//#Update:v2
//#Send:go abc
//#Expect:<cba>
#include "serve.h"

__attribute__((noinline)) static void mirror(const char *text) {
    size_t length = strlen(text);
    char turned[length + 1], *copy = __builtin_alloca(length + 8);
    for (size_t i = 0; i < length; i++)
        turned[i] = text[length - 1 - i];
    turned[length] = 0;
    snprintf(copy, length + 8, "%s", turned); //#v2: snprintf(copy, length + 8, "<%s>", turned);
    puts(copy);
}

void handle(const char *line) { mirror(line + 3); }
