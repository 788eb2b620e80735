//#Build:clang-19 -O2 -fPIC -c plain.c -o plain.o && $CC $CFLAGS $LDFLAGS main.c plain.o -o app
//#ExpectClosure:here
//#Send:go
//#Expect:14 8
//#Update:v2
//#Send:go
//#Expect:14 9, and more
//#Config:bfd
//#Linker:bfd
//#Config:gold
//#Linker:gold
//#Config:lld
//#Linker:lld
// Jump tables and tables of distances to strings, of an object that plain clang made: all of them stand elsewhere.
#include "serve.h"

int answer(const char *);
const char *named(int);

__attribute__((noinline)) static void here(int n, long more) { printf("%d %ld\n", n, more + 7); }

void handle(const char *line) { here(answer(line) + (int)strlen(named(line[1] - 'n')), opaque_number(1)); }
