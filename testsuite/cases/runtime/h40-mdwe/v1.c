//#Requires:mdwe
//#Config:always
//#Dispatch:always
//#ExpectClosure:work
//#Send:ask
//#Expect:old
//#Update:v2
//#Send:ask
//#Expect:new
//#Revert
//#Send:ask
//#Expect:old
//#Config:armed:always
//#Dispatch:armed
//#ExpectClosure:work
//#Send:ask
//#Expect:old
//#ApplyFails:v2 27 --dsu-dispatch=always
//#Send:ask
//#Expect:old
// Memory that was writable or is executable stays so: text is never written, and `always` needs no writing.
#include "serve.h"
#include <sys/prctl.h>

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) {
    static int done;
    if (!done++ && prctl(65 /* PR_SET_MDWE */, 1UL /* refuse exec gain */, 0UL, 0UL, 0UL) != 0)
        puts("no MDWE here");
    puts(work());
}
