// The same register, but who extends it and how is part of the signature.
#include "serve.h"

__attribute__((noinline)) static int narrow(unsigned char n) { return (int)opaque_number(n); }

void handle(const char *line) { printf("%d\n", narrow((unsigned char)argument(line))); }
