//#ExpectRefused:signature-escapes `hook` (main.c:10) holds its address
//#Send:go 3
//#Expect:30
// A variable holds the address; the refusal says which, and where it is.
#include "serve.h"


__attribute__((noinline)) static long price(long n) { return opaque_number(n * 10); } //#v2: __attribute__((noinline)) static long price(long n, long extra) { return opaque_number(n * 10 + extra); }

static void *volatile hook = (void *)price;

void handle(const char *line) { printf("%ld\n", ((long (*)(long, long))hook)(argument(line), 3)); }
