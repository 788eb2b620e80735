#include <stdio.h>
_Thread_local int exported;
static _Thread_local int hidden = 50;
void bump(void) { printf("%d %d\n", exported += 1, hidden += 1); } //#v2: void bump(void) { printf("%d %d\n", exported += 10, hidden += 10); }
