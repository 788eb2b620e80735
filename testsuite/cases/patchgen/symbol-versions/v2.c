// The old version of realpath wants memory from its caller: a patch means the version that its unit does.
#include "serve.h"

#if defined DIRECTIVE
__asm__(".symver realpath,realpath@GLIBC_2.2.5");
#elif defined ALIAS
char *old_realpath(const char *path, char *buffer);
__asm__("\t.symver\told_realpath, realpath@GLIBC_2.2.5");
#define realpath old_realpath
#elif defined LABEL
char *pinned(const char *path, char *buffer) __asm__("realpath@GLIBC_2.2.5");
#define realpath pinned
#else
__asm__(".macro pin name\n.symver \\name, \\name@GLIBC_2.2.5\n.endm\npin realpath");
#endif

void handle(const char *line) {
    char *path = realpath("/usr/..", NULL);
    printf("v2 %s\n", path ? path : "(null)");
}
