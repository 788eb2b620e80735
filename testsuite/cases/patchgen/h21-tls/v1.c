//#NoOracle:the state was made by both versions
//#Config:exe
//#ExpectClosure:bump
//#Send:bump 1
//#Expect:1 101
//#Send:bump 1
//#Expect:2 102
//#Update:v2
//#Send:bump 1
//#Expect:12 112
//#Revert
//#Send:bump 1
//#Expect:13 113
//#Config:no-pie:exe
//#CompArgs:-O2 -fno-pie
//#LinkArgs:-no-pie
//#Config:o0:exe
//#CompArgs:-O0
//#Config:emulated-model:exe
//#CompArgs:-O2 -fPIC -ftls-model=global-dynamic
// Thread-locals of the program, exported and static: new code finds this thread's.
#include "serve.h"

_Thread_local long exported;
static _Thread_local long hidden = 100;

__attribute__((noinline)) void bump(long by) {
    exported += by; //#v2: exported += by * 10;
    hidden += by; //#v2: hidden += by * 10;
}

void handle(const char *line) {
    bump(argument(line));
    printf("%ld %ld\n", exported, hidden);
}
