//#Lib:shop.c
//#Module:libshop.so
//#ExpectRefused:signature-exported price
//#Send:go
//#Expect:10
// Whoever else has loaded the library calls it the old way.
#include "serve.h"

int total(void);

void handle(const char *line) { printf("%d\n", total()); }
