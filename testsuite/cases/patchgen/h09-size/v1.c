//#ExpectRefused:data-changed names
//#Send:show 1
//#Expect:0
#include "serve.h"

long names[4];

void handle(const char *line) { printf("%ld\n", names[argument(line) & 3]++); }
