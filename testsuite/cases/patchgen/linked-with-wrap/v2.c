// `part` and `abs` are led to wrappers; new code that calls them goes the same way, and so does what wrappers call.
#include "serve.h"

int part(int n);
void handle(const char *line) { printf("v2 %d %d %d %d\n", abs(-(int)strlen(line)), part((int)strlen(line) + 2), abs(-(int)strlen(line)), part((int)strlen(line) + 2)); }
