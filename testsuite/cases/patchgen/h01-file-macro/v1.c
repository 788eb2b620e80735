//#Build:$CC $CFLAGS $PWD/main.c -o app $LDFLAGS
//#ExpectClosure:fail
//#Send:go
//#Expect:main.c: no
//#Update:v2
//#Send:go
//#Expect:main.c: not so
// `__FILE__` holds the directory of the build, which is another one each time.
#include "serve.h"

__attribute__((noinline)) static void fail(const char *text) {
    const char *file = opaque(__FILE__);
    printf("%s: %s\n", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, text); //#v2: printf("%s: %st so\n", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, text);
}

__attribute__((noinline)) static void where(void) { fprintf(stdout, "%.0s", opaque(__FILE__)); }

void handle(const char *line) {
    where();
    fail(opaque("no"));
}
