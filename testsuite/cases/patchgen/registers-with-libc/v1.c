//#Config:atexit
//#CompArgs:-O2 -DATEXIT
//#ExpectClosure:handle, bye
//#NoOracle:what is registered depends on when
//#Send:go
//#Expect:v1
//#Update:v2
//#Send:go
//#Expect:v2 0
//#Config:at_quick_exit:atexit
//#CompArgs:-O2 -DQUICK
//#Config:pthread_atfork
//#CompArgs:-O2 -DFORK
//#ExpectClosure:handle, bye, child
//#NoOracle:what is registered depends on when
//#Send:go
//#Expect:v1
//#Update:v2
//#Send:go
//#Expect:v2 0
//#Send:go
//#Expect:before
// What libc gives every module a copy of, used by nobody before.
#include "serve.h"

#include <sys/wait.h>
#include <unistd.h>

void handle(const char *line) { puts("v1"); }
