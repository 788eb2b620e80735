// The strong definition is gone, and the weak one, whose unit is the same in both builds, takes its place.
#include "serve.h"

int hook(void);
void handle(const char *line) { printf("%d\n", hook()); }
