//#CompArgs:-O2 -fcommon
//#Unit:second.c
//#ExpectClosure:handle
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:3
// A tentative definition in two units is one variable.
#include "serve.h"

int shared;
void bump(void);

void handle(const char *line) {
    bump();
    printf("%d\n", shared); //#v2: shared += 0;
    //#v2+: printf("%d\n", shared + 1);
}
