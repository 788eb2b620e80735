//#Lib:shop.c
//#Module:libshop.so
//#ExpectClosure:inner, guarded
//#Send:go
//#Expect:11
//#Update:v2
//#Send:go
//#Expect:22
#include "serve.h"

int outer(void);

void handle(const char *line) { printf("%d\n", outer()); }
