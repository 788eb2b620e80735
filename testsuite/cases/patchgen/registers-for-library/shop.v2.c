#include <stdio.h>
#include <stdlib.h>
static void bye(void) { puts("the library goes"); }
int price(int n) {
    static int known;
    if (!known++)
        atexit(bye);
    return n + 1;
}
