// Exported functions that call themselves and each other: the program may take one over, unless the library was bound to itself.
#include "serve.h"

int visit(int n);
#ifdef NAME
int name(void) { return puts("the program's"); }
#endif

void handle(const char *line) { printf("%d\n", visit(10)); }
