//#Compiler:dsu-c++
//#Dispatch:armed
//#Consistency:newest
//#Build:mkdir -p build && cd build && S=$(dirname "$PWD") && $CXX $CFLAGS -c $S/main.cc && $CXX $CFLAGS -c $S/part.cc && $CXX main.o part.o -o ../app $LDFLAGS
//#ExpectClosure:_Z4stepv
//#Send:go
//#Expect:v1 7 same
//#Update:v2
//#Send:go
//#Expect:v2 7 same
//#Revert
//#Send:go
//#Expect:v1 7 same
// Files that share an inline function, in two folders: an unchanged static function keeps its address.
#include "serve.h"
#include "shared.h"

void keep(long (*event)(long));
bool is_kept(long (*event)(long));

static long on_event(long number) { return shared(number); }

__attribute__((noinline)) void step() {
    printf("v1 %ld %s\n", on_event(7), is_kept(on_event) ? "same" : "another");
}

__attribute__((constructor)) static void start() { keep(on_event); }

void handle(const char *line) {
    (void)line;
    step();
}
