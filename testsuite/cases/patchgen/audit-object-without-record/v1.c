//#Build:clang-19 -O2 -fPIC -c plain.c -o plain.o && $CC $CFLAGS $LDFLAGS main.c plain.o -o app
//#ExpectRefused:unexplained-code answer
//#Send:go
//#Expect:7
//#Config:bfd
//#Linker:bfd
//#Config:gold
//#Linker:gold
//#Config:lld
//#Linker:lld
// A constant in a function of an object that plain clang made.
#include "serve.h"

int answer(const char *);

void handle(const char *line) { printf("%d\n", answer(line)); }
