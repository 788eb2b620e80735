//#Build:$CC $CFLAGS -fPIC -shared plugin.c -o plugin.so && $CC $CFLAGS main.c -o app $LDFLAGS -ldl
//#Module:plugin.so
//#ExpectClosure:answer
//#Send:load
//#Expect:loaded
//#Send:ask
//#Expect:1
//#Update:v2
//#Send:ask
//#Expect:2
//#Revert
//#Send:ask
//#Expect:1
// A module that came into the process after the runtime had started.
#include "serve.h"
#include <dlfcn.h>

static int (*ask)(void);

void handle(const char *line) {
    if (is(line, "load")) {
        void *plugin = dlopen("./plugin.so", RTLD_NOW | RTLD_LOCAL);
        ask = plugin ? (int (*)(void))dlsym(plugin, "ask") : NULL;
        puts(ask ? "loaded" : dlerror());
    } else {
        printf("%d\n", ask());
    }
}
