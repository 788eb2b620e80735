//#ExpectNoChange
// Same layout, other word.
#include "serve.h"

struct item {
    long price; //#v2: long cost;
};

static struct item only;

void handle(const char *line) {
    only.price = argument(line); //#v2: only.cost = argument(line);
    printf("%ld\n", only.price); //#v2: printf("%ld\n", only.cost);
}
