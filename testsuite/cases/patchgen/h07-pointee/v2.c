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

#define NAME struct new_name

__attribute__((noinline)) static void name_of(const NAME *name) { printf("%c%ld\n", name->letter, name->number); }

void handle(const char *line) {
    NAME name = {.letter = 'b', .number = argument(line)};
    if (is(line, "hold")) {
        char more[16];
        serve_ready();
        fgets(more, sizeof more, stdin);
    }
    name_of(&name);
}
