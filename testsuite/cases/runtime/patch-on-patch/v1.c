//#Send:go
//#Expect:a1 b1
//#Update:v2
//#Send:go
//#Expect:a2 b1
//#Update:v3
//#Send:go
//#Expect:a3 b3
//#Reject:a2 b3
//#Revert
//#Send:go
//#Expect:a1 b1
// Each patch is made for the base and holds everything that differs from it; the later one wins.
#include "serve.h"

__attribute__((noinline)) const char *first(void) {
    const char *text = "a1"; //#v2: const char *text = "a2"; //#v3: const char *text = "a3";
    __asm__ volatile("" : "+r"(text));
    return text;
}

__attribute__((noinline)) const char *second(void) {
    const char *text = "b1"; //#v3: const char *text = "b3";
    __asm__ volatile("" : "+r"(text));
    return text;
}

void handle(const char *line) { printf("%s %s\n", first(), second()); }
