// Each patch is made for the base and holds everything that differs from it; the later one wins.
#include "serve.h"

__attribute__((noinline)) const char *first(void) {
    const char *text = "a2";
    __asm__ volatile("" : "+r"(text));
    return text;
}

__attribute__((noinline)) const char *second(void) {
    const char *text = "b1";
    __asm__ volatile("" : "+r"(text));
    return text;
}

void handle(const char *line) { printf("%s %s\n", first(), second()); }
