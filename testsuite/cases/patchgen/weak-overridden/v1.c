//#Unit:helper.c
//#Config:overridden
//#CompArgs:-O2 -DSTRONG
//#ExpectChanged:handle(body)
//#ExpectClosure:handle
//#Send:go
//#Expect:20 900 6
//#Update:v2
//#Send:go
//#Expect:v2 20 900 7
//#Config:only-the-weak-ones-change
//#CompArgs:-O2 -DSTRONG -DQUIET
//#ExpectNoChange
//#Config:in-force
//#CompArgs:-O2 -DLIMIT=55
//#ExpectClosure:handle, hook
//#Send:go
//#Expect:1 5 2
//#Update:v2
//#Send:go
//#Expect:v2 10 55 3
//#Config:a-constant-that-nobody-reads
//#CompArgs:-O2 -DSTRONG -DQUIET -DLIMIT=55
//#ExpectRefused:unexplained-data .rodata
//#Config:by-plain-object
//#CompArgs:-O2 -DFOREIGN
//#Build:clang-19 -O2 -DSTRONG -c helper.c -o foreign.o && $CC $CFLAGS main.c foreign.o -o app $LDFLAGS
//#ExpectClosure:handle
//#Send:go
//#Expect:20 900 6
//#Update:v2
//#Send:go
//#Expect:v2 20 900 7
// What is weak counts only where nobody has a stronger one.
#include "serve.h"

__attribute__((weak, noinline)) int hook(void) { return 1; }
__attribute__((weak)) const int limit = 5;
__attribute__((weak)) long state = 1;

void handle(const char *line) { printf("%d %d %ld\n", hook(), limit, ++state); }
