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
