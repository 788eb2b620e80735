//#Dispatch:armed
//#Consistency:newest
//#Send:go
//#Expect:1
//#Send:go
//#Expect:2
//#Config:one-before
//#CompArgs:-O2 -DKIND=1
//#Send:go
//#Expect:1
//#Send:go
//#Expect:2
//#Update:v2
//#Send:go
//#Expect:count 3 errors 0
//#Revert
//#Send:go
//#Expect:4
//#Config:other-order
//#CompArgs:-O2 -DKIND=2
//#Send:go
//#Expect:1
//#Send:go
//#Expect:2
//#Update:v2
//#Send:go
//#Expect:count 3 errors 300
//#Config:of-structures:one-before
//#CompArgs:-O2 -DKIND=3
//#Config:two-could-be
//#CompArgs:-O2 -DKIND=4
//#ExpectRefused:unpaired-variable may be
//#Config:nothing-numbered:one-before
//#CompArgs:-O2 -DKIND=5
// The compiler numbers unnamed objects in the order of the source; v2 has one more before the old one.
#include "serve.h"

#if KIND == 3
struct number { long before, value; };
#define UNNAMED (&(struct number){0}.value)
#elif KIND == 5
static long counter_;
#else
#define UNNAMED (&(long){0})
#endif

#if KIND == 5
static long *counter = &counter_;
#else
static long *counter = UNNAMED;
#endif
#if KIND == 2
static long *errors = UNNAMED;
#endif

__attribute__((noinline)) static long bump(void) { return ++*counter; }

__attribute__((noinline)) static void show(void) {
#if KIND == 2
    *errors += 100;
    if (*errors < 0)
        puts("never");
#endif
    printf("%ld\n", bump());
}

void handle(const char *line) {
    (void)line;
    show();
}
