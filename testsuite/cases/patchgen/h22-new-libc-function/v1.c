//#ExpectClosure:shout
//#Send:shout
//#Expect:hello
//#Update:v2
//#Send:shout
//#Expect:HELLO 5
// The fix uses functions of libc that the program did not: the dynamic linker finds them, versions and all.
#include "serve.h"
#include <ctype.h>

__attribute__((noinline)) void shout(const char *text) { puts(text); }

void handle(const char *line) { shout("hello"); }
