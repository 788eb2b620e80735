//#Build:$CC $CFLAGS $LDFLAGS -fno-pie -no-pie main.c $(cat link.txt) -o app
//#ExpectRefused:unexplained-data is the number 0xc8, in the base 0x64
//#Send:go
//#Expect:100 1
// A number, and a second name, that the linker is told on its command line.
#include "serve.h"

extern const char LIMIT[];
int chosen(void);
int one(void) { return 1; }
int two(void) { return 2; }

void handle(const char *line) {
    (void)line;
    printf("%ld %d\n", (long)LIMIT, chosen());
}
