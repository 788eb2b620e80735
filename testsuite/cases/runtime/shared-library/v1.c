//#Lib:shop.c
//#Module:libshop.so
//#ExpectClosure:price
//#Send:total 3
//#Expect:30
//#Update:v2
//#Send:total 3
//#Expect:36
//#Revert
//#Send:total 3
//#Expect:30
//#Config:bfd
//#Config:lld
//#Linker:lld
//#Config:o0
//#CompArgs:-O0
// The library changes, the program does not; one runtime serves both.
#include "serve.h"

long total(long items);

void handle(const char *line) { printf("%ld\n", total(argument(line))); }
