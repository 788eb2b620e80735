//#Dispatch:armed
//#Consistency:newest
//#Send:go
//#Expect:old 1
//#Send:go
//#Expect:old 2
//#Config:out-of-the-function
//#CompArgs:-O2 -DKIND=1
//#Send:go
//#Expect:old 1
//#Send:go
//#Expect:old 2
//#Update:v2
//#Send:go
//#Expect:new 3
//#Revert
//#Send:go
//#Expect:old 4
//#Config:into-the-function:out-of-the-function
//#CompArgs:-O2 -DKIND=2
//#Config:renamed:out-of-the-function
//#CompArgs:-O2 -DKIND=3
//#Config:renamed-structure:out-of-the-function
//#CompArgs:-O2 -DKIND=4
//#Config:another-is-new
//#CompArgs:-O2 -DKIND=5
//#Send:go
//#Expect:old 1
//#Send:go
//#Expect:old 2
//#Update:v2
//#Send:go
//#Expect:new 3
//#Config:used-otherwise
//#CompArgs:-O2 -DKIND=6
//#ExpectRefused:unpaired-variable may be `count` of the base
//#Send:go
//#Expect:old 1
//#Send:go
//#Expect:old 2
//#RunTool:patchgen build $V1 $V2 -o ok.dsu --accept total --because "it starts again"
//#ToolOut:accepted  total
//#Config:starts-otherwise
//#CompArgs:-O2 -DKIND=7
//#ExpectRefused:unpaired-variable total
//#Config:two-could-be
//#CompArgs:-O2 -DKIND=8
//#ExpectRefused:unpaired-variable may be
// A static variable has another place or name in v2: the value goes along when it is certain which one it is.
#include "serve.h"

#if KIND == 2 || KIND == 3 || KIND == 6 || KIND == 7 || KIND == 8
static long count;
#elif KIND == 4
static struct { long gap, value; } count_;
#define count count_.value
#endif
#if KIND == 8
static long other;
#endif

__attribute__((noinline)) static void show(void) {
#if KIND == 1 || KIND == 5
    static long count;
#endif
    count += 1;
#if KIND == 8
    other += 1;
    if (other < 0)
        puts("never");
#endif
    printf("old %ld\n", count);
}

void handle(const char *line) {
    (void)line;
    show();
}
