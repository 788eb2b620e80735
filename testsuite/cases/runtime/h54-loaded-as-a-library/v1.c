//#NoOracle:a fresh v2 has no patch
//#ExpectClosure:work
//#Send:count
//#Expect:0 patches
//#Update:v2
//#Send:count
//#Expect:1 patches
// dl_iterate_phdr lists the patch: unwinders, profilers and sanitizers find it there.
#define _GNU_SOURCE
#include "serve.h"
#include <link.h>

__attribute__((noinline)) const void *work(void) { return __builtin_return_address(0); } //#v2: __attribute__((noinline)) const void *work(void) { return __builtin_frame_address(0); }

static int visit(struct dl_phdr_info *info, size_t size, void *count) {
    (void)size;
    const char *name = info->dlpi_name;
    if (name[0] && !strstr(name, "/lib") && !strstr(name, "vdso"))
        ++*(int *)count;
    return 0;
}

void handle(const char *line) {
    int count = 0;
    work();
    dl_iterate_phdr(visit, &count);
    printf("%d patches\n", count);
}
