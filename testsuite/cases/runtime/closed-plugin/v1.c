//#Build:$CC $CFLAGS -fPIC -shared plugin.c -o plugin.so && $CC $CFLAGS main.c -o app $LDFLAGS -ldl
//#Module:plugin.so
//#NoOracle:a library that is loaded again is that of the base
//#ExpectClosure:answer
//#Send:load
//#Expect:loaded
//#Send:ask
//#Expect:old 1
//#Update:v2
//#Send:ask
//#Expect:new 2, 1 by the patch
//#Send:maps
//#Expect:patches
//#Send:close
//#Expect:unloaded
//#Expect:closed
//#RunTool:dsuctl status $PID --json
//#ToolOut:"images": 0
//#ToolReject:plugin.so
//#Send:maps
//#Expect:no patch
//#Send:load
//#Expect:loaded
//#Send:ask
//#Expect:old 1
//#RevertFails:3 no patch
//#Update:v2
//#Send:ask
//#Expect:new 2, 1 by the patch
//#Send:close
//#Expect:unloaded
//#Send:load
//#Send:ask
//#Expect:old 1
//#Update:v2
//#Revert
//#Send:ask
//#Expect:old 2
// A plugin is closed: its patch goes with it, of which nothing is left when it is loaded again.
#include "serve.h"
#include <dlfcn.h>

static void *plugin;
static void (*ask)(void);

/* Mappings of patches in this process. */
static int patch_mappings(void) {
    static char line[1024];
    FILE *maps = fopen("/proc/self/maps", "r");
    int count = 0;

    while (maps && fgets(line, sizeof line, maps))
        count += strstr(line, "/memfd:") != NULL;
    if (maps)
        fclose(maps);
    return count;
}

void handle(const char *line) {
    if (is(line, "load")) {
        plugin = dlopen("./plugin.so", RTLD_NOW | RTLD_LOCAL);
        ask = plugin ? (void (*)(void))dlsym(plugin, "ask") : NULL;
        puts(ask ? "loaded" : dlerror());
    } else if (is(line, "close")) {
        puts(dlclose(plugin) ? dlerror() : "closed");
    } else if (is(line, "maps")) {
        puts(patch_mappings() ? "patches" : "no patch");
    } else {
        ask();
    }
}
