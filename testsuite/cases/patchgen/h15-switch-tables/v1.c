//#ExpectChanged:name
//#Send:name 3
//#Expect:three
//#Send:colour 2
//#Expect:blue
//#Update:v2
//#Send:name 3
//#Expect:drei
//#Send:colour 2
//#Expect:blue
// `switch.table.name`: made by the optimiser, known by content only.
#include "serve.h"

__attribute__((noinline)) const char *colour(long n) {
    switch (n) {
    case 0: return "red";
    case 1: return "green";
    case 2: return "blue";
    case 3: return "white";
    case 4: return "black";
    default: return "none";
    }
}
__attribute__((noinline)) const char *name(long n) {
    switch (n) {
    case 0: return "zero";
    case 1: return "one";
    case 2: return "two";
    case 3: return "three"; //#v2: case 3: return "drei";
    case 4: return "four";
    default: return "many";
    }
}

void handle(const char *line) { puts(is(line, "name") ? name(argument(line)) : colour(argument(line))); }
