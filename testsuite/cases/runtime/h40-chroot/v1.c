//#StaleSocket:its folder is outside the jail
//#Requires:root
//#Config:loaded-before
//#Consistency:newest
//#ExpectClosure:work
//#Send:ask
//#Expect:old
//#Update:v2
//#Send:jail
//#Expect:jailed
//#Send:ask
//#Expect:new
//#Revert
//#Send:ask
//#Expect:old
//#Config:never-loaded
//#RunTool:dsuctl status $PID
//#Send:jail
//#Expect:jailed
//#ApplyFails:v2 33 /proc
//#Send:ask
//#Expect:old
// The process has locked itself into an empty folder. The patch comes as a file descriptor, not as a path, but the
// dynamic linker of libc reaches it through /proc only: without, updating fails and says so; reverting works
// with consistency `newest`; with `thread`, threads cannot be listed to find out who has moved.
#include "serve.h"
#include <sys/stat.h>
#include <unistd.h>

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) {
    if (is(line, "jail")) {
        mkdir("jail", 0755);
        puts(chroot("jail") != 0 || chdir("/") != 0 ? "no chroot" : "jailed");
    } else {
        puts(work());
    }
}
