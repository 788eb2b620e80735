//#Compiler:dsu-c++
//#CompArgs:-std=c++20 -O2
//#Unit:other.cc
//#NoOracle:what is new begins with the update
//#Send:go
//#Expect:0 0 10 1
//#Update:v2
//#Send:go
//#Expect:102 102104 20 1
//#Send:go
//#Expect:106 104108 20 1
// Variables and constants that several units define alike are one: what is new is shared by all of them.
#define RATE 10
#include "shared.h"
#include "serve.h"

void handle(const char *line) {
    long mine = bump(), theirs = their_bump();
    printf("%ld %ld %ld %ld\n", mine, theirs, their_rate(opaque_number(1)), rates[argument(line) & 1]);
}
