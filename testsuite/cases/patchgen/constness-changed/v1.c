//#ExpectRefused:data-changed table
//#Send:go 1
//#Expect:2
#include "serve.h"

// What was a constant becomes something to write to.
const int table[4] = {1, 2, 3, 4}; //#v2: int table[4] = {1, 2, 3, 4};
const int *volatile pointer = table;

void handle(const char *line) { printf("%d\n", pointer[argument(line) & 3]); }
