//#ExpectClosure:work
//#Send:fork
//#Expect:child: old
//#Expect:parent: old
//#Update:v2
//#Send:fork
//#Expect:child: new
//#Expect:parent: new
//#RunTool:dsuctl status $PID
//#Revert
//#Send:fork
//#Expect:child: old
//#Update:v2
//#Send:fork
//#Expect:child: new
// A child has the version its parent had, and its end takes nothing away from the parent.
#include "serve.h"
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("child: %s\n", work());
        exit(0); // with all destructors
    }
    waitpid(child, NULL, 0);
    printf("parent: %s\n", work());
}
