//#CompArgs:-O2 -ffunction-sections -fdata-sections
//#Config:bfd
//#LinkArgs:-Wl,--gc-sections -Wl,--print-gc-sections
//#ExpectSection:.debug.dsu_bc
//#ExpectSection:.debug.dsu_sym
//#ExpectSection:.note.dsu
//#RunTool:nm app
//#ToolReject:never_called
//#Send:ask
//#Expect:1
//#Update:v2
//#Send:ask
//#Expect:2
//#Config:lld:bfd
//#LinkArgs:-Wl,--gc-sections
//#Linker:lld
// The record survives and keeps nothing alive: what nobody calls is dropped as in a plain build.
#include "serve.h"

__attribute__((noinline)) int never_called(int n) { return n * 3; }
int never_read[1000] = {1};
__attribute__((noinline)) int ask(void) {
    int value = 1; //#v2: int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", ask()); }
