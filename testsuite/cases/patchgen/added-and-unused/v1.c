//#ExpectChanged:spare(added)
//#ExpectNoChange
// A new function that nobody calls yet.
#include "serve.h"

void handle(const char *line) { puts("ok"); }
