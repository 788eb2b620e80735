/* What updates replace: the number it adds. */
#include "unstopped.h"

#ifndef VERSION
#define VERSION 1
#endif

__attribute__((noinline)) int answer(int number)
{
    int mine = VERSION;

    __asm__ volatile("" : "+r"(mine));
    return number + mine;
}
