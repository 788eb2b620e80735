//#Compiler:dsu-c++
//#ExpectRefused:constructor
//#Send:go
//#Expect:1
// A global object with a constructor: the process has already started.
#include "serve.h"

struct logger {
    long lines;
    logger() : lines(opaque_number(0)) {}
};

long count() { return opaque_number(1); } //#v2: logger log;
//#v2+: long count() { return opaque_number(1) + log.lines++; }

void handle(const char *line) { printf("%ld\n", count()); }
