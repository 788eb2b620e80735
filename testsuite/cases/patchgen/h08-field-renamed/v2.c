// Same layout, other word.
#include "serve.h"

struct item {
    long cost;
};

static struct item only;

void handle(const char *line) {
    only.cost = argument(line);
    printf("%ld\n", only.cost);
}
