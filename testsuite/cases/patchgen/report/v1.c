//#RunTool:patchgen report $V1 $V2 -o fix.html --name CVE-1 && cat fix.html
//#ToolOut:<title>CVE-1</title>
//#ToolOut:&lt;&#x2f;b&gt;&quot;
//#ToolReject:</b>"
//#ToolReject:http-equiv
//#ToolReject:src=
//#ToolOut:takes part in a recursion
//#ToolOut:<g class="replaced recursive"><title>parse of main.c; address held by table; circle 1</title>
//#ToolOut:<path class="indirect"
//#ToolOut:the code inlined from <code>with_tax</code> changed
//#ToolOut:LLVM IR
//#RunTool:patchgen report $V1 $V2
//#ToolOut:Exercise `parse` (main.c:
//#ToolOut:with_tax, inlined
//#ToolOut:  + static inline long with_tax(long price) { return price + (price + 5) / 10; }
//#RunTool:patchgen report $V1 $V2 --format json
//#ToolOut:"kind": "indirect"
//#RunTool:patchgen report $V1 $V2 --format dot
//#ToolOut:style=dotted
//#RunTool:patchgen report $V1 $V2 --patch $PATCH --format text
//#ToolOut:v2
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --name other && patchgen report $V1 $V1 --patch fix.dsu
//#ToolError:1 is not what these two builds give; give the builds, and the hooks file, that it was made from [other-patch]
//#RunTool:patchgen report $V1 $V1
//#ToolOut:nothing that runs would change
//#ToolExit:3
//#RunTool:patchgen inspect $PATCH --dot
//#ToolOut:label="parse"
//#RunTool:echo >>main.c; patchgen report $V1 $V2
//#ToolOut:main.c` was changed since it was compiled
//#Send:(a
//#Expect:1
// What a release engineer forwards: everything the sources hold is text in it, whatever they hold.
#include "serve.h"

typedef int (*reader)(const char *line, int depth);

static inline long with_tax(long price) { return price + price / 10; } //#v2: static inline long with_tax(long price) { return price + (price + 5) / 10; }

__attribute__((noinline)) int parse(const char *line, int depth);

__attribute__((noinline)) int group(const char *line, int depth) { return parse(line + 1, depth + 1); }

__attribute__((noinline)) int parse(const char *line, int depth) {
    __asm__ volatile("" : "+r"(depth));
    if (depth > 5) //#v2: if (depth > 6) /* "<b>six</b>" */
        return -1;
    return *line == '(' ? group(line, depth) : depth;
}

__attribute__((noinline)) int total(const char *line, int depth) { return depth + (int)with_tax(strlen(line)); }

reader table[] = {parse, total};

__attribute__((noinline)) int read_with(int which, const char *line) { return table[which & 1](line, 0); }

void handle(const char *line) { printf("%d\n", read_with(line[0] == 't', line)); }
