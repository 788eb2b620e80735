//#Build:clang-19 -O2 -c plain.c -o plain.o && $CC $CFLAGS -c main.c -o main.o && $CC $CFLAGS $LDFLAGS main.o plain.o -o app
//#ExpectClosure:answer
//#Send:ask
//#Expect:7
//#Update:v2
//#Send:ask
//#Expect:8 of 2
//#Revert
//#Send:ask
//#Expect:7
//#Config:bfd
//#Linker:bfd
//#Config:gold
//#Linker:gold
//#Config:lld
//#Linker:lld
// New code calls a hidden function and reads a hidden variable of an object that plain clang made. Only bfd
// leaves hidden symbols global.
#include "serve.h"

__attribute__((noinline)) void answer(void) { printf("%ld\n", opaque_number(7)); }

void handle(const char *line) {
    (void)line;
    answer();
}
