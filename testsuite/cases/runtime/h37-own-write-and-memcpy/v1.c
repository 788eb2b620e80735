//#CompArgs:-O2 -fno-builtin
//#ExpectClosure:memcpy, write
//#Send:copy
//#Expect:abc
//#Update:v2
//#Send:copy
//#Expect:abc
//#Send:count
//#Expect:counted
//#Revert
//#Send:copy
//#Expect:abc
// The program's own memcpy and write stand before libc's for everybody, the runtime included.
#include "serve.h"
#include <sys/syscall.h>
#include <unistd.h>

static volatile long calls;

__attribute__((noinline)) void *memcpy(void *to, const void *from, size_t length) {
    //#v2+: calls++;
    for (size_t i = 0; i < length; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}

__attribute__((noinline)) ssize_t write(int fd, const void *bytes, size_t length) {
    //#v2+: calls++;
    return (ssize_t)syscall(SYS_write, fd, bytes, length);
}

void handle(const char *line) {
    char text[4];
    memcpy(text, "abc", 4);
    if (write(-1, text, 3) >= 0)
        puts("strange");
    if (is(line, "count"))
        puts(calls ? "counted" : "not counted");
    else
        puts(text);
}
