//#ExpectChanged:handle(body)
//#Send:go
//#Reject:14
//#Update:v2
//#Send:go
//#Expect:14
//#Config:stored
//#CompArgs:-O2 -DSTORED
//#Config:printed
//#CompArgs:-O2 -DPRINTED
//#Config:returned
//#CompArgs:-O2 -DRETURNED
//#ExpectChanged:limit(body)
//#Config:to-a-function-of-the-program
//#CompArgs:-O2 -DPASSED
//#Config:asserted-by-its-value
//#CompArgs:-O2 -DASSERTED
// A number that equals its line, and moves along with it by chance, is a value all the same.
#include "serve.h"

int m;
__attribute__((noinline)) void show(int n) { printf("%d\n", n); }
__attribute__((noinline)) void log_failed_assert(const char *file, int line, int n) { show((int)opaque_number(n)); }
#ifdef RETURNED
#line 10
__attribute__((noinline)) int limit(void) { return (int)opaque_number(10); }
void handle(const char *line) { show(limit()); }
#else
#line 10
void handle(const char *line) {
#if defined STORED
#line 10
    m = 10;
    show(m);
#elif defined PRINTED
#line 10
    printf("%d\n", 10);
#elif defined PASSED
#line 10
    show(10);
#elif defined ASSERTED
#line 10
    log_failed_assert("main.c", 3, 10);
#endif
}
#endif
