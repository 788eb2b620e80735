#include <stdio.h>
#include "limit.h"

void two(void) { printf("two %d\n", limit()); }
