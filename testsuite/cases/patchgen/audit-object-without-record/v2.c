#include "serve.h"

int answer(const char *);

void handle(const char *line) { printf("%d\n", answer(line)); }
