#include <stdio.h>
_Thread_local int exported;
static _Thread_local int hidden = 50;
void bump(void) { printf("%d %d\n", exported += 1, hidden += 1); }
