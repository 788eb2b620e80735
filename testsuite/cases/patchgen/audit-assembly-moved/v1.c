//#Unit:part.S
//#ExpectClosure:here
//#Send:abc
//#Expect:103 8 2
//#Update:v2
//#Send:abc
//#Expect:103 9 2
// Assembly that stands elsewhere, behind another function and an alignment of another length, is the same.
#include "serve.h"

int part(int);
int table_entry(int);

__attribute__((noinline)) static int here(long n) { return (int)n + 7; }

void handle(const char *line) {
    printf("%d %d %d\n", part((int)strlen(line)), here(opaque_number(1)), table_entry(1));
}
