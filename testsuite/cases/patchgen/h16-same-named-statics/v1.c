//#Unit:second.c
//#ExpectClosure:step
//#Send:first
//#Expect:first 1
//#Send:second
//#Expect:second 101
//#Update:v2
//#Send:first
//#Expect:first 2
//#Send:second
//#Expect:second 112
//#Send:second
//#Expect:second 113
//#Config:bfd
//#Config:lld
//#Linker:lld
//#Config:gold
//#Linker:gold
//#Config:merged
//#Build:$CC $CFLAGS -c main.c -o a.o && $CC $CFLAGS -c second.c -o b.o && ld -r a.o b.o -o all.o && $CC all.o -o app $LDFLAGS
// `count` and `step` exist in both units; only the second unit's `step` changes.
#include "serve.h"

void second(void);
static int count;
__attribute__((noinline)) static int step(void) {
    return (int)opaque_number(++count);
}

void handle(const char *line) {
    if (is(line, "first"))
        printf("first %d\n", step());
    else
        second();
}
