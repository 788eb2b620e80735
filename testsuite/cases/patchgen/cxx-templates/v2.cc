// Two units hold the same instance of a template; the linker kept one, and both follow.
#include "serve.h"
#include "largest.h"

long other(void);

void handle(const char *line) {
    long all[] = {argument(line), 9, 2};
    printf("%ld other %ld\n", largest(all, 3), other());
}
