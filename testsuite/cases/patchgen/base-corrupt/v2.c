#include "serve.h"

// Somebody rewrote the program's code: it is not what its record says.
__attribute__((noinline)) int work(void) {
    int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}
void handle(const char *line) { printf("%d\n", work()); }
