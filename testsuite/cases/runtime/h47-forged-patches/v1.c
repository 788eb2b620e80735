//#Send:ask
//#Expect:old
//#RunTool:forge() { sh $CASE/../../include/forge.sh $PATCH "$@"; }; forge machine.dsu .dsu.patch 56 '\267\000'; forge version.dsu .dsu.patch 8 '\143\000\000\000'; forge function.dsu .dsu.patch 264 '\001\002\003\004'; forge elf.dsu file 18 '\267\000'
//#ApplyFails:machine.dsu 22 machine
//#ApplyFails:elf.dsu 22 machine
//#ApplyFails:version.dsu 23 version
//#ApplyFails:function.dsu 25 describes it
//#Send:ask
//#Expect:old
//#Update:v2
//#Send:ask
//#Expect:new
// Files with a right checksum that are for another machine, of another format, for another program.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
