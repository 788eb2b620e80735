//#CompArgs:-O2 -mavx2
//#Requires:avx2
//#ExpectClosure:add
//#Send:go
//#Expect:11 22 33 44 55 66 77 88 rest 36
//#Update:v2
//#Send:go
//#Expect:12 23 34 45 56 67 78 89 rest 36
//#Revert
//#Send:go
//#Expect:11 22 33 44 55 66 77 88 rest 36
// 32-byte vectors in registers, all eight of them, upper halves included.
#include "serve.h"

typedef int v8 __attribute__((vector_size(32)));
static int rest;

__attribute__((noinline)) v8 add(v8 a, v8 b, v8 c, v8 d, v8 e, v8 f, v8 g, v8 h) {
    v8 all = c + d + e + f + g + h;
    rest = all[7];
    return a + b; //#v2: return a + b + 1;
}

void handle(const char *line) {
    v8 a = {1, 2, 3, 4, 5, 6, 7, 8}, b = a * 10, c = {0, 0, 0, 0, 0, 0, 0, 6};
    v8 sum = add(a, b, c, c, c, c, c, c);
    printf("%d %d %d %d %d %d %d %d rest %d\n", sum[0], sum[1], sum[2], sum[3], sum[4], sum[5], sum[6], sum[7], rest);
}
