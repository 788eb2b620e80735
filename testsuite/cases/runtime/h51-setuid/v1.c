//#Requires:root
//#StaleSocket:it may no longer write to the directory of its socket
//#ExpectClosure:work
//#RunTool:dsuctl status $PID
//#Send:drop
//#Expect:not dumpable, user 65534
//#Update:v2
//#Send:ask
//#Expect:new
//#Revert
//#Send:ask
//#Expect:old
// A daemon that gave its rights away: it is not dumpable, and its socket belongs to who it was.
#include "serve.h"
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) {
    if (is(line, "drop")) {
        if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
            puts("could not drop");
        printf("%s, user %d\n", prctl(PR_GET_DUMPABLE) ? "dumpable" : "not dumpable", (int)getuid());
    } else {
        puts(work());
    }
}
