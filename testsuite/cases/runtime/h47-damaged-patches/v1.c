//#Send:ask
//#Expect:old
//#RunTool:size=$(stat -c %s $PATCH); head -c $((size - 1)) $PATCH >short.dsu; head -c 100 $PATCH >header.dsu; : >empty.dsu; head -c 5000 /dev/zero >zeros.dsu
//#ApplyFails:short.dsu 14 short.dsu
//#ApplyFails:header.dsu 14 header.dsu
//#ApplyFails:empty.dsu 14 empty.dsu
//#ApplyFails:zeros.dsu 14 zeros.dsu
//#ApplyFails:no-such-file.dsu 13 no-such-file.dsu
//#ApplyFails:. 13 .
//#ApplyFails:main.c 14 main.c
//#ApplyFails:app 14 app
//#RunTool:sh $CASE/../../include/flip.sh $PATCH $PID 14
//#Send:ask
//#Expect:old
//#Update:v2
//#ApplyFails:short.dsu 14 short.dsu
//#Send:ask
//#Expect:new
//#Revert
//#RevertFails:23
//#Send:ask
//#Expect:old
// Whatever is wrong with the file, the process goes on as it was.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return "old"; }

void handle(const char *line) { puts(work()); }
