//#Unit:helper.c
//#Unit:wrappers.c
//#LinkArgs:-Wl,--wrap=part,--wrap=abs
//#CompArgs:-O2 -fno-builtin
//#ExpectClosure:handle
//#Config:bfd
//#Send:abc
//#Expect:4 1038
//#Update:v2
//#Send:abc
//#Expect:v2 4 1038 4 1038
//#Config:gold:bfd
//#Linker:gold
//#Config:lld
//#Linker:lld
//#Send:abc
//#Expect:4 1038
//#Update:v2
//#Send:abc
//#Expect:v2 4 1038 4 1038
// `part` and `abs` are led to wrappers; new code that calls them goes the same way, and so does what wrappers call.
#include "serve.h"

int part(int n);
void handle(const char *line) { printf("%d %d\n", abs(-(int)strlen(line)), part((int)strlen(line) + 2)); }
