//#NoOracle:the state was made by both versions
//#CompArgs:-O2 -fno-pie
//#LinkArgs:-no-pie
//#Lib:shop.c
//#Module:libshop.so
//#ExpectClosure:sell
//#Send:sell
//#Expect:1 1
//#Update:v2
//#Send:sell
//#Expect:11 11
// The non-PIE program holds the library's variable as a copy; new code of the library must use the copy too.
#include "serve.h"

extern int stock;
int sell(void);

void handle(const char *line) {
    int said = sell();
    printf("%d %d\n", said, stock);
}
