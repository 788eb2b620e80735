//#Build:$CC $CFLAGS -fPIC -shared shop.c -o shop.so -Wl,-soname,shop.so && $CC $CFLAGS main.c -o app $LDFLAGS -ldl
//#Module:shop.so
//#Consistency:newest
//#ExpectClosure:price, bye
//#Send:go
//#Expect:5
//#Update:v2
//#Send:go
//#Expect:6
//#Send:close
//#Expect:the library goes
//#Expect:closed
// What the patch of a library registers for the end, is done when the library is closed.
#include "serve.h"

#include <dlfcn.h>

void handle(const char *line) {
    static void *shop;
    static int (*price)(int);
    if (is(line, "close")) {
        puts(dlclose(shop) ? "open" : "closed");
        return;
    }
    if (!shop) {
        shop = dlopen("./shop.so", RTLD_NOW);
        price = (int (*)(int))dlsym(shop, "price");
    }
    printf("%d\n", price(5));
}
