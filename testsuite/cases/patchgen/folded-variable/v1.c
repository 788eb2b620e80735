//#Dispatch:armed
//#Consistency:newest
//#Send:go
//#Expect:10
//#Send:go
//#Expect:20
//#Config:number
//#CompArgs:-O2 -DKIND=1
//#ExpectRefused:folded-state limit
//#Send:go
//#Expect:10
//#Send:go
//#Expect:20
//#RunTool:patchgen build $V1 $V2 -o ok.dsu --accept limit --because "ten is right"
//#ToolOut:accepted  limit
//#Config:table
//#CompArgs:-O2 -DKIND=2
//#ExpectRefused:folded-state limit
//#Config:static-local
//#CompArgs:-O2 -DKIND=3
//#ExpectRefused:folded-state limit
//#Config:member
//#CompArgs:-O2 -DKIND=4
//#ExpectRefused:folded-state (8 bytes at offset 8)
//#Config:flag
//#CompArgs:-O2 -DKIND=5
//#ExpectRefused:folded-state limit
//#Config:pointer
//#CompArgs:-O2 -DKIND=6
//#ExpectRefused:folded-state limit
//#Config:no-longer-read
//#CompArgs:-O2 -DKIND=7
//#NoOracle:the value is no longer shown
//#Send:go
//#Expect:10
//#Send:go
//#Expect:20
//#Update:v2
//#Send:go
//#Expect:limit
//#Config:still-written
//#CompArgs:-O2 -DKIND=8
//#Send:go
//#Expect:10
//#Send:go
//#Expect:20
//#Update:v2
//#Send:go
//#Expect:limit 30
//#Revert
//#Send:go
//#Expect:40
// v2 writes the variable no more, so that the optimiser takes its first value for it; the process has another.
#include "serve.h"

#if KIND == 4
static struct { long other, limit; } st = {0, 0};
#define LIMIT st.limit
#elif KIND == 2
static long limit[4];
#define LIMIT limit[opaque_number(2)]
#elif KIND == 5
static _Bool limit;
static long calls;
#define LIMIT limit
#elif KIND == 6
static const char *limit = "10";
#elif KIND != 3
static long limit;
#define LIMIT limit
#endif

__attribute__((noinline)) static void show(void) {
#if KIND == 3
    static long limit;
#define LIMIT limit
#endif
#if KIND == 5
    calls += 10;
    printf("%ld\n", LIMIT ? calls : 10l);
    LIMIT = 1;
#elif KIND == 6
    puts(limit);
    limit = opaque("20");
#elif KIND == 4
    st.other += 1;
    LIMIT += 10;
    printf("%ld\n", LIMIT + (st.other < 0));
#else
    LIMIT += 10;
    printf("%ld\n", LIMIT);
#endif
}

void handle(const char *line) {
    (void)line;
    show();
}
