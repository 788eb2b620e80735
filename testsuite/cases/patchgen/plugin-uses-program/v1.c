//#Config:plain
//#Build:$CC $CFLAGS -fPIC -shared plugin.c -o plugin.so && $CC $CFLAGS main.c -o app $LDFLAGS -rdynamic -ldl
//#Consistency:newest
//#Module:plugin.so
//#ExpectClosure:work
//#Send:go
//#Expect:50
//#Update:v2
//#Send:go
//#Expect:100
//#Config:with-a-name:plain
//#Build:$CC $CFLAGS -fPIC -shared plugin.c -o plugin.so -Wl,-soname,plugin.so && $CC $CFLAGS main.c -o app $LDFLAGS -rdynamic -ldl
// A plugin that calls its program, and itself; only it knows its own names.
#include "serve.h"

#include <dlfcn.h>

int host(int n) { return n + 44; }
void handle(const char *line) {
    static int (*work)(int);
    if (!work)
        work = (int (*)(int))dlsym(dlopen("./plugin.so", RTLD_NOW | RTLD_LOCAL), "work");
    printf("%d\n", work(5));
}
