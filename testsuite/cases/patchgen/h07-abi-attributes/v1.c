//#ExpectChanged:narrow(signature), handle(body)
//#ExpectClosure:handle, narrow
//#Send:go -1
//#Expect:-1
//#Update:v2
//#Send:go -1
//#Expect:255
// The same register, but who extends it and how is part of the signature.
#include "serve.h"

__attribute__((noinline)) static int narrow(signed char n) { return (int)opaque_number(n); } //#v2: __attribute__((noinline)) static int narrow(unsigned char n) { return (int)opaque_number(n); }

void handle(const char *line) { printf("%d\n", narrow((signed char)argument(line))); } //#v2: void handle(const char *line) { printf("%d\n", narrow((unsigned char)argument(line))); }
