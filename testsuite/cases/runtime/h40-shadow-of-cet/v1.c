//#CompArgs:-O2 -fcf-protection=full
//#ExpectClosure:direct, indirect
//#Send:go
//#Expect:1 2
//#Expect:both begin with endbr64
//#Update:v2
//#Send:go
//#Expect:11 12
//#Expect:both begin with endbr64
//#Revert
//#Send:go
//#Expect:1 2
//#Expect:both begin with endbr64
// With -fcf-protection every entry keeps its endbr64, armed or not, old and new.
#include "serve.h"

__attribute__((noinline)) int direct(void) { return (int)opaque_number(1); } //#v2: __attribute__((noinline)) int direct(void) { return (int)opaque_number(11); }
__attribute__((noinline)) int indirect(void) { return (int)opaque_number(2); } //#v2: __attribute__((noinline)) int indirect(void) { return (int)opaque_number(12); }

static int (*volatile pointer)(void) = indirect;
static int (*volatile other)(void) = direct;

static int begins_with_endbr64(const void *code) { return memcmp(code, "\xf3\x0f\x1e\xfa", 4) == 0; }

void handle(const char *line) {
    printf("%d %d\n", other(), pointer());
    if (begins_with_endbr64((const void *)pointer) && begins_with_endbr64((const void *)other))
        puts("both begin with endbr64");
}
