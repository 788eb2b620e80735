#include "serve.h"

extern const char page[];

void handle(const char *line) {
    (void)line;
    fputs(page, stdout);
}
