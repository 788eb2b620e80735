//#Requires:root setpriv
//#Send:ask
//#Expect:old
//#RunTool:chmod -R go+rx $DSU_RUNTIME_DIR; cp $PATCH /tmp/dsu-foreign-$PID.dsu; cp $(command -v dsuctl) /tmp/dsu-foreign-$PID; chmod 755 /tmp/dsu-foreign-$PID; code=0; setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/dsu-foreign-$PID apply $PID /tmp/dsu-foreign-$PID.dsu || code=$?; rm /tmp/dsu-foreign-$PID*; exit $code
//#ToolError:12 belongs to
//#Send:ask
//#Expect:old
//#RunTool:stat -c %a $DSU_RUNTIME_DIR/$PID.sock
//#ToolOut:600
// Another user may neither look nor touch.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
