//#Lib:shop.c
//#Module:libshop.so
//#ExpectChanged:sell(body), added(added)
//#ExpectClosure:sell, added
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:3
#include "serve.h"

int sell(int n);

void handle(const char *line) { printf("%d\n", sell(1)); }
