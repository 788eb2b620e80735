//#Build:ld -r -b binary page.txt -o page.o && $CC $CFLAGS $LDFLAGS -Wl,-z,noexecstack main.c page.o -o app
//#ExpectRefused:unexplained-data _binary_page_txt_start
//#Send:go
//#Expect:a page
// A file that the linker made an object of is part of the program.
#include "serve.h"

extern const char _binary_page_txt_start[], _binary_page_txt_end[];

void handle(const char *line) {
    (void)line;
    fwrite(_binary_page_txt_start, 1, (size_t)(_binary_page_txt_end - _binary_page_txt_start), stdout);
}
