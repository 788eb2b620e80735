//#CompArgs:-O2 -fno-pie
//#LinkArgs:-no-pie
//#ExpectClosure:sum
//#Send:go
//#Expect:3
//#Update:v2
//#Send:go
//#Expect:33
// The program sits at 4 MB, the patch near the stack: no reference between them fits 32 bits.
#include "serve.h"

static int data[3] = {0, 1, 2};
__attribute__((noinline)) int helper(int n) { return data[n]++; }
__attribute__((noinline)) int sum(void) { return data[1] + data[2] + helper(0); } //#v2: __attribute__((noinline)) int sum(void) { return (data[1] + data[2]) * 11 + helper(0) * 0; }

void handle(const char *line) { printf("%d\n", sum()); }
