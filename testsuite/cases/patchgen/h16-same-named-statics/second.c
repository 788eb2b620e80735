#include <stdio.h>

static int count = 100;
__attribute__((noinline)) static int step(void) {
    __asm__ volatile("" : "+m"(count));
    return ++count;
}
void second(void) { printf("second %d\n", step()); }
