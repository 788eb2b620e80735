#include "serve.h"

int caller(void);

void handle(const char *line) { printf("%d\n", caller()); }
