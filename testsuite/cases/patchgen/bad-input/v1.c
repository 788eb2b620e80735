//#RunTool:clang-19 $CASE/v1.c -w -pthread -I$CASE/../../include -o plain; patchgen base plain -o plain.dsubase
//#ToolError:4 [not-instrumented]
//#RunTool:patchgen diff plain $V2
//#ToolError:4 dsu-cc
//#RunTool:patchgen diff $V1 no-such-file
//#ToolError:1 [unreadable]
//#RunTool:patchgen diff $V1 main.c
//#ToolError:1 [not-a-build]
//#RunTool:: >empty; patchgen diff $V1 empty
//#ToolError:1 empty
//#RunTool:head -c 3000 $V1 >short; patchgen diff $V1 short
//#ToolError:1 [damaged]
//#RunTool:mkdir -p folder; patchgen diff $V1 folder
//#ToolError:1 [is-directory]
//#RunTool:patchgen diff $V1
//#ToolExit:2
//#RunTool:patchgen frobnicate
//#ToolExit:2
//#RunTool:patchgen build $V1 $V2 -o /dev/full
//#ToolError:1 [unwritable]
//#RunTool:patchgen build $V1 $V2 -o no/such/folder/fix.dsu
//#ToolError:1 no/such/folder
//#RunTool:patchgen build $V1 $V1 -o same.dsu
//#ToolExit:3
//#RunTool:test ! -e same.dsu
//#RunTool:patchgen inspect $V1
//#ToolError:1 app
//#RunTool:patchgen inspect main.c
//#ToolError:1 main.c
//#RunTool:patchgen inspect $PATCH
//#ToolOut:work
//#RunTool:patchgen inspect $PATCH --dot
//#ToolOut:digraph
//#RunTool:patchgen diff $V1 $V2
//#ToolOut:work
//#RunTool:patchgen --help
//#ToolOut:patchgen build
//#RunTool:$CC $CFLAGS -c main.c -o main.o; patchgen diff main.o main.o
//#ToolError:4 [not-linked]
//#RunTool:ar rcs main.a main.o; patchgen base main.a
//#ToolError:4 [not-linked]
//#RunTool:cp $V1 arm && printf '\267\000' | dd of=arm bs=1 seek=18 conv=notrunc status=none && patchgen base arm
//#ToolError:4 [unsupported-machine]
//#RunTool:objcopy --remove-section .note.gnu.build-id $V1 anonymous && patchgen diff anonymous $V2
//#ToolError:4 [no-build-id]
//#RunTool:patchgen base $V1 -o app.dsubase && head -c 200 app.dsubase >short.dsubase && patchgen diff short.dsubase $V2
//#ToolError:1 [damaged]
//#RunTool:cp app.dsubase newer.dsubase && printf '\143' | dd of=newer.dsubase bs=1 seek=8 conv=notrunc status=none && patchgen diff newer.dsubase $V2
//#ToolError:1 [unknown-version]
//#RunTool:code=0; PATH=/nowhere $(command -v patchgen) build $V1 $V2 -o fix.dsu || code=$?; exit $code
//#ToolOut:[tool-failed]
//#ToolExit:1
//#Send:ask
//#Expect:old
// Each mistake of a person at the keyboard: one line, its own exit code, nothing written.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
