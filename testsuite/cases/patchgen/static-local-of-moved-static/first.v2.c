#include <stdio.h>

void first(void) { puts("none"); }
