//#ExpectChanged:handle(body)
//#Send:go
//#Expect:101 1001
//#Send:go
//#Expect:102 1002
//#Update:v2
//#Send:go
//#Expect:v2 103 1003
// Numbers in names that a person wrote, and that happen to be those of their lines in one of the builds.
#include "serve.h"
#line 12
static long n12 = 100;
static long n13 = 1000;
void handle(const char *line) { printf("%ld %ld\n", ++n12, ++n13); }
