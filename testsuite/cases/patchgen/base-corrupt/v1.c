//#Config:stub
//#Dispatch:armed
//#RunTool:entry=$(nm app | sed -n 's/ [Tt] work$//p'); cp app altered && printf '\314' | dd of=altered bs=1 seek=$((0x$entry - 6)) conv=notrunc status=none && patchgen build altered $V2 -o fix.dsu
//#ToolError:4 [base-corrupt]
//#Send:go
//#Expect:1
//#Config:entry
//#Dispatch:always
//#RunTool:entry=$(nm app | sed -n 's/ [Tt] work$//p'); cp app altered && printf '\314' | dd of=altered bs=1 seek=$((0x$entry)) conv=notrunc status=none && patchgen build altered $V2 -o fix.dsu
//#ToolError:4 [base-corrupt]
//#Send:go
//#Expect:1
#include "serve.h"

// Somebody rewrote the program's code: it is not what its record says.
__attribute__((noinline)) int work(void) {
    int value = 1; //#v2: int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}
void handle(const char *line) { printf("%d\n", work()); }
