//#ExpectRefused:signature-escapes price
//#Send:go 3
//#Expect:30
// A table still holds the old function's address, and its readers pass the old arguments.
#include "serve.h"

__attribute__((noinline)) long price(long n) { return n * 10; } //#v2: __attribute__((noinline)) long price(long n, long extra) { return n * 10 + extra; }
void *table[] = {(void *)price};

void handle(const char *line) { printf("%ld\n", ((long (*)(long))table[0])(argument(line))); } //#v2: void handle(const char *line) { printf("%ld\n", ((long (*)(long, long))table[0])(argument(line), 3)); }
