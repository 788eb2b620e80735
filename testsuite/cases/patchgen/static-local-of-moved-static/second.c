#include <stdio.h>

void second(void) { puts("none"); }
