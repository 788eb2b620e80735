//#ExpectRefused:alias-changed second_name
//#Send:go
//#Expect:1
#include "serve.h"

// The second name moves to another function.
__attribute__((noinline)) int work(void) {
    int value = 1;
    __asm__ volatile("" : "+r"(value));
    return value;
}
__attribute__((noinline)) int other(void) {
    int value = 5;
    __asm__ volatile("" : "+r"(value));
    return value;
}
extern int second_name(void) __attribute__((alias("work"))); //#v2: extern int second_name(void) __attribute__((alias("other")));

void handle(const char *line) { printf("%d\n", second_name()); }
