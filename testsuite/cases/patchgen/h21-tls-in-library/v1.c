//#NoOracle:the state was made by both versions
//#Lib:shop.c
//#Module:libshop.so
//#Config:global-dynamic
//#ExpectClosure:bump
//#Send:bump
//#Expect:1 51
//#Update:v2
//#Send:bump
//#Expect:11 61
//#Revert
//#Send:bump
//#Expect:12 62
//#Config:initial-exec:global-dynamic
//#CompArgs:-O2 -ftls-model=initial-exec
//#Config:local-dynamic:global-dynamic
//#CompArgs:-O2 -ftls-model=local-dynamic
#include "serve.h"

void bump(void);

void handle(const char *line) { bump(); }
