//#Config:no-pie
//#CompArgs:-O2 -fno-pie
//#LinkArgs:-no-pie
//#ExpectClosure:work
//#Send:work
//#Expect:1 3 7
//#Update:v2
//#Send:work
//#Expect:2 3 7
//#Config:direct-access:no-pie
//#CompArgs:-O2 -fno-pie -fno-direct-access-external-data
//#Config:pie:no-pie
//#CompArgs:-O2 -fpie
//#LinkArgs:-pie
//#Config:medium:no-pie
//#CompArgs:-O2 -fno-pie -mcmodel=medium
// What was so near that 32 bits reached it, a static, a function, a thread-local, is far from the patch.
#include "serve.h"

static int near_data = 3;
static _Thread_local int near_tls = 7;
__attribute__((noinline)) static int near_code(void) {
    __asm__ volatile("" : "+m"(near_data), "+m"(near_tls));
    return near_data;
}

__attribute__((noinline)) void work(int n) { printf("%d %d %d\n", n, near_code(), near_tls); } //#v2: __attribute__((noinline)) void work(int n) { printf("%d %d %d\n", n + 1, near_code(), near_tls); }

void handle(const char *line) { work(1); }
