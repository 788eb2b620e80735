//#Requires:gcc
//#Build:gcc -O2 -fPIC -c plain.c -o plain.o && ld -r -b binary page.txt -o page.o && $CC $CFLAGS $LDFLAGS -Wl,-z,noexecstack,--defsym,second=name_of main.c part.S plain.o page.o -o app
//#ExpectClosure:handle
//#Send:go
//#Expect:103 4 one two a page
//#Update:v2
//#Send:go
//#Expect:one 103 4 two a page
//#Config:bfd
//#Linker:bfd
//#Config:gold
//#Linker:gold
//#Config:lld
//#Linker:lld
// A function in C changes, and strings move: assembly, an object of gcc's, one made of a file and a name of the linker's stay
// as they are.
#include "serve.h"

int part(int), limit_of(int);
const char *name_of(int), *second(int);
extern const char _binary_page_txt_start[], _binary_page_txt_end[];

void handle(const char *line) {
    printf("%d %d %s %s ", part((int)strlen(line) + 1), limit_of(0), name_of(1), second(2));
    fwrite(_binary_page_txt_start, 1, (size_t)(_binary_page_txt_end - _binary_page_txt_start), stdout);
}
