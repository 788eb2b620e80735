//#NoOracle:a plain program is no patch
//#LinkArgs:-rdynamic
//#Requires:gdb
//#CompArgs:-O1 -g
//#ExpectClosure:trap_here
//#Send:where
//#Expect:found in the program
//#Update:v2
//#RunTool:gdb -p $PID -batch -nx -ex 'info sharedlibrary' -ex 'info functions trap_here' -ex 'detach' 2>&1
//#ToolOut:trap_here.dsu
//#Send:where
//#Expect:found in the patch
// A debugger and dladdr see the patch as the library that it is: hazard 54 too.
#define _GNU_SOURCE
#include "serve.h"
#include <dlfcn.h>

__attribute__((noinline)) void *do_trap(void) { return __builtin_return_address(0); }

__attribute__((noinline)) void trap_here(void) {
    Dl_info info = {0};
    void *at = do_trap(); //#v2: void *volatile at = do_trap();
    if (dladdr(at, &info) && info.dli_fname)
        puts(strstr(info.dli_fname, "app") ? "found in the program" : "found in the patch");
    printf("called %s\n", info.dli_sname ? info.dli_sname : "nothing");
}

void handle(const char *line) { trap_here(); }
