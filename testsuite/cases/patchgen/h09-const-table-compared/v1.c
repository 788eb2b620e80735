//#ExpectRefused:data-changed compares its address
//#Send:go 2
//#Expect:20 first
// Two tables are told apart by their addresses; a copy in the patch would be neither.
#include "serve.h"

const int first[4] = {0, 10, 20, 30}, second[4] = {0, 1, 2, 3}; //#v2: const int first[4] = {0, 10, 25, 30}, second[4] = {0, 1, 2, 3};

__attribute__((noinline)) const char *name(const int *table) { return table == first ? "first" : "second"; }

void handle(const char *line) {
    const int *table = opaque_number(argument(line)) > 3 ? second : first;
    printf("%d %s\n", table[argument(line) & 3], name(table));
}
