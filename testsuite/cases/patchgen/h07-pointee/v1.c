//#Consistency:newest
//#ExpectChanged:name_of(signature), handle(body)
//#ExpectClosure:handle, name_of
//#Send:go 3
//#Expect:a3
//#NoOracle:a call that began before the update ends as it began
//#Send:hold 5
//#Update:v2
//#Send:more
//#Expect:a5
//#Send:go 7
//#Expect:b7
// To IR a pointer is a pointer; a call from a function that is still running hands over the old structure.
#include "serve.h"

struct old_name {
    long number;
    char letter;
};
struct new_name {
    char letter;
    long number;
};

#define NAME struct old_name //#v2: #define NAME struct new_name

__attribute__((noinline)) static void name_of(const NAME *name) { printf("%c%ld\n", name->letter, name->number); }

void handle(const char *line) {
    NAME name = {.letter = 'a', .number = argument(line)}; //#v2: NAME name = {.letter = 'b', .number = argument(line)};
    if (is(line, "hold")) {
        char more[16];
        serve_ready();
        fgets(more, sizeof more, stdin);
    }
    name_of(&name);
}
