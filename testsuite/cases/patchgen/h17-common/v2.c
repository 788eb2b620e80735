// A tentative definition in two units is one variable.
#include "serve.h"

int shared;
void bump(void);

void handle(const char *line) {
    bump();
    shared += 0;
    printf("%d\n", shared + 1);
}
