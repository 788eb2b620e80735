//#Send:ask
//#Expect:old
//#RunTool:size=$(stat -c %s $PATCH); head -c $((size - 1)) $PATCH >short.dsu; head -c 100 $PATCH >header.dsu; : >empty.dsu; head -c 5000 /dev/zero >zeros.dsu
//#ApplyFails:short.dsu 21 short.dsu
//#ApplyFails:header.dsu 21 header.dsu
//#ApplyFails:empty.dsu 21 empty.dsu
//#ApplyFails:zeros.dsu 21 zeros.dsu
//#ApplyFails:no-such-file.dsu 20 no-such-file.dsu
//#ApplyFails:. 20 .
//#ApplyFails:main.c 21 main.c
//#ApplyFails:app 21 app
//#RunTool:sh $CASE/../../include/flip.sh $PATCH $PID 21
//#Send:ask
//#Expect:old
//#Update:v2
//#ApplyFails:short.dsu 21 short.dsu
//#Send:ask
//#Expect:new
//#Revert
//#RevertFails:3
//#Send:ask
//#Expect:old
// Whatever is wrong with the file, the process goes on as it was.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
