//#ExpectRefused:relative-reference labels
//#Send:go 1
//#Expect:one
// A table of code addresses that the program writes to: it belongs to one body of the function.
#include "serve.h"

void handle(const char *line) {
    static void *labels[2] = {&&zero, &&one};
    labels[0] = argument(line) == 7 ? &&one : &&zero;
    goto *labels[argument(line) & 1];
zero: puts("zero"); return;
one: puts(opaque("one")); return; //#v2: one: puts(opaque("uno")); return;
}
