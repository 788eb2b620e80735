//#Dispatch:armed
//#ExpectChanged:work
//#RunTool:sh $CASE/repository.sh "$(dirname "$V2")/main.c"
//#RunTool:patchgen git HEAD~1..HEAD --repo repo --base $V1 --build "$CC $CFLAGS main.c -o app" --program app -o range.dsu
//#ToolOut:work
//#Send:go
//#Expect:old
//#Update:v2 range.dsu
//#Send:go
//#Expect:new
//#Revert
//#RunTool:cd repo && patchgen git HEAD --base $V1 --build "$CC $CFLAGS main.c -o app" --program app -o ../one.dsu --json
//#ToolOut:"verdict": "apply"
//#Update:v2 one.dsu
//#Send:go
//#Expect:new
//#Revert
//#RunTool:cd repo && git diff HEAD~1 HEAD | patchgen git HEAD~1 --diff - --base $V1 --build "$CC $CFLAGS main.c -o app" --program app -o ../diff.dsu
//#Update:v2 diff.dsu
//#Send:go
//#Expect:new
//#Revert
//#RunTool:cp -r repo gone; (cd gone && git checkout -q HEAD~1 && $CC $CFLAGS main.c -o ../base); rm -rf gone
//#RunTool:patchgen git HEAD --repo repo --base base --build "$CC $CFLAGS main.c -o app" --program app -o r.dsu --report r.txt; cat r.txt
//#ToolOut:  + __attribute__((noinline)) const char *work(void) { return opaque("new"); }
//#ToolReject:is not on this machine
//#RunTool:git -C repo status --porcelain --ignored; git -C repo worktree list | wc -l
//#ToolReject:2
//#RunTool:patchgen git HEAD --repo repo --keep kept --build "$CC $CFLAGS main.c -o app" --program app -o kept.dsu
//#ToolOut:build-id
//#RunTool:patchgen diff kept/old/app kept/new/app --json
//#ToolOut:"verdict": "apply"
//#RunTool:patchgen git HEAD --repo repo --keep kept --build true --program app -o no.dsu
//#ToolError:1 exists already
//#RunTool:patchgen git HEAD~1..HEAD~1 --repo repo --base $V1 --build "$CC $CFLAGS main.c -o app" --program app -o no.dsu
//#ToolExit:3
//#RunTool:patchgen git HEAD --repo repo --build true --program app -o no.dsu
//#ToolExit:2
//#RunTool:patchgen git HEAD --repo repo --base $V1 --build "echo so it goes; exit 7" --program app -o no.dsu
//#ToolError:1 (exit status: 7): `so it goes`
//#RunTool:patchgen git HEAD --repo repo --base $V1 --build "echo '#error: no' >>main.c; dsu-cc main.c; echo done; false" --program app -o no.dsu
//#ToolError:1 main.c:
//#RunTool:patchgen git HEAD --repo repo --base $V1 --build true --program app -o no.dsu
//#ToolError:1 [build-failed]
//#RunTool:patchgen git nowhere..HEAD --repo repo --base $V1 --build true --program app -o no.dsu
//#ToolError:1 `nowhere`: is no revision of this repository
//#RunTool:patchgen git --repo /proc --base $V1 --build true --program app -o no.dsu HEAD
//#ToolError:1 [repository]
//#RunTool:patchgen git HEAD~1...HEAD --repo repo --base $V1 --build true --program app -o no.dsu
//#ToolError:1 two starts
//#RunTool:patchgen git HEAD~1..HEAD --diff main.c --repo repo --base $V1 --build true --program app -o no.dsu
//#ToolError:1 a diff applies to one revision
//#RunTool:patchgen git HEAD --diff main.c --repo repo --base $V1 --build true --program app -o no.dsu
//#ToolError:1 the diff does not apply
//#RunTool:patchgen git HEAD --diff nothing.patch --repo repo --base $V1 --build true --program app -o no.dsu
//#ToolError:1 [unreadable]
//#RunTool:test ! -e no.dsu
// A range of a git repository, one revision, or a diff: patchgen builds what it needs of it and makes the same patch.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) {
    (void)line;
    puts(work());
}
