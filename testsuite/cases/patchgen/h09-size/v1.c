//#ExpectRefused:data-changed names
//#Send:show 1
//#Expect:0
#include "serve.h"

long names[4]; //#v2: long names[8];

void handle(const char *line) { printf("%ld\n", names[argument(line) & 3]++); } //#v2: void handle(const char *line) { printf("%ld\n", names[argument(line) & 7]++); }
