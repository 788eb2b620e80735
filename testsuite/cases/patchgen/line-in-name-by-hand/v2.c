// Numbers in names that a person wrote, and that happen to be those of their lines in one of the builds.
#include "serve.h"
#line 20
static long n12 = 100;
static long n13 = 1000;
void handle(const char *line) { printf("v2 %ld %ld\n", ++n12, ++n13); }
