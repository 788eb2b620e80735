//#Dispatch:armed
//#Consistency:newest
//#Send:go
//#Expect:second 1
//#Send:go
//#Expect:second 2
//#Update:v2
//#Send:go
//#Expect:only second 3
//#Revert
//#Send:go
//#Expect:second 4
//#Config:members
//#CompArgs:-O2 -DKIND=1
//#Config:static-local
//#CompArgs:-O2 -DKIND=2
//#Config:elements
//#CompArgs:-O2 -DKIND=3
//#Config:inner-structure
//#CompArgs:-O2 -DKIND=4
//#Config:not-split
//#CompArgs:-O2 -DKIND=5
// The optimiser makes a variable of each member that is used, and numbers them: `st.0` is another member in v2.
#include "serve.h"

#if KIND == 3
static long st[2];
#define FIRST st[0]
#define SECOND st[1]
#elif KIND == 4
static struct { struct { long first, unused; } in; struct { long gap, second; } on; } st;
#define FIRST st.in.first
#define SECOND st.on.second
#elif KIND == 5
static struct { long first, second; } st;
void *volatile whole = &st;
#define FIRST st.first
#define SECOND st.second
#else
#if KIND == 1
static struct { long first, second; } st;
#endif
#define FIRST st.first
#define SECOND st.second
#endif

__attribute__((noinline)) static void count(void) {
#if KIND == 2
    static struct { long first, second; } st;
#endif
    FIRST += 100, SECOND += 1;
    printf("second %ld\n", SECOND);
    if (FIRST < 0)
        puts("never");
}

void handle(const char *line) {
    (void)line;
    count();
}
