//#ExpectChanged:old_name(removed), new_name(added), caller(body)
//#ExpectClosure:new_name, caller
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:1
// To the machine a new name is a new function and a removed one.
#include "serve.h"

__attribute__((noinline)) int old_name(void) { //#v2: __attribute__((noinline)) int new_name(void) {
    int value = 1;
    __asm__ volatile("" : "+r"(value));
    return value;
}

__attribute__((noinline)) void caller(void) { printf("%d\n", old_name()); } //#v2: __attribute__((noinline)) void caller(void) { printf("%d\n", new_name()); }

void handle(const char *line) { caller(); }
