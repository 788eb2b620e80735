//#NoOracle:a new variable starts with the update, not with the process
//#ExpectClosure:visit
//#Send:visit
//#Expect:plain
//#Update:v2
//#Send:visit
//#Expect:visit 8 of sum 0
//#Send:visit
//#Expect:visit 9 of sum 8
//#Revert
//#Send:visit
//#Expect:plain
//#Update:v2
//#Send:visit
//#Reject:plain
#include "serve.h"

__attribute__((noinline)) void visit(void) { puts("plain"); }

void handle(const char *line) { visit(); }
