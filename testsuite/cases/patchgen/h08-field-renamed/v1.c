//#ExpectNoChange
// Same layout, other word.
#include "serve.h"

struct item {
    long price;
};

static struct item only;

void handle(const char *line) {
    only.price = argument(line);
    printf("%ld\n", only.price);
}
