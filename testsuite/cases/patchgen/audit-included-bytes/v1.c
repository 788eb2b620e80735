//#Build:$CC $CFLAGS $LDFLAGS main.c part.S -o app # page.txt
//#ExpectRefused:unexplained-data page
//#Send:go
//#Expect:a page
// A file that assembly takes in is part of the program.
#include "serve.h"

extern const char page[];

void handle(const char *line) {
    (void)line;
    fputs(page, stdout);
}
