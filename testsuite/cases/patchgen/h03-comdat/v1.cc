//#Compiler:dsu-c++
//#ExpectChanged:_Z5threev(body), handle(body)
//#Send:go
//#Expect:3
//#Update:v2
//#Send:go
//#Expect:4
// An inline function becomes an ordinary one: no longer one of several that the linker picks from.
#include "serve.h"

inline __attribute__((noinline)) long three() { return opaque_number(3); } //#v2: __attribute__((noinline)) long three() { return opaque_number(4); }

void handle(const char *line) { printf("%ld\n", three()); }
