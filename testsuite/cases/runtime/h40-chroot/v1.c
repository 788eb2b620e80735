//#Requires:root
//#ExpectClosure:work
//#Send:ask
//#Expect:old
//#Update:v2
//#Send:ask
//#Expect:new
//#Revert
//#Send:ask
//#Expect:old
// The process has locked itself into an empty folder: the patch comes as a file descriptor, not as a path.
#include "serve.h"
#include <sys/stat.h>
#include <unistd.h>

__attribute__((noinline)) const char *work(void) { return opaque("old"); }

void handle(const char *line) {
    static int done;
    if (!done++) {
        mkdir("jail", 0755);
        if (chroot("jail") != 0 || chdir("/") != 0)
            puts("no chroot");
    }
    puts(work());
}
