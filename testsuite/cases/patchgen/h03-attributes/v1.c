//#ExpectChanged:cold_now(body), target_now(body), aligned_now(body), noinline_now(body), optnone_now(body)
//#Send:go
//#Expect:5
//#Update:v2
//#Send:go
//#Expect:5
// Nothing but an attribute differs, and the code may well differ for it.
#include "serve.h"

int cold_now(int n) { return n + 1; } //#v2: __attribute__((cold)) int cold_now(int n) { return n + 1; }
int target_now(int n) { return __builtin_popcount(n) + 1; } //#v2: __attribute__((target("popcnt"))) int target_now(int n) { return __builtin_popcount(n) + 1; }
int aligned_now(int n) { return n + 1; } //#v2: __attribute__((aligned(64))) int aligned_now(int n) { return n + 1; }
int noinline_now(int n) { return n + 1; } //#v2: __attribute__((noinline)) int noinline_now(int n) { return n + 1; }
int optnone_now(int n) { return n + 1; } //#v2: __attribute__((noinline, optnone)) int optnone_now(int n) { return n + 1; }

int (*volatile all[])(int) = {cold_now, target_now, aligned_now, noinline_now, optnone_now};

void handle(const char *line) {
    int sum = 0;
    for (int i = 0; i < 5; i++)
        sum += all[i](0);
    printf("%d\n", sum);
}
