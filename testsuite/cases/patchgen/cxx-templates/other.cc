#include "largest.h"

long other(void) {
    long all[] = {1, 7};
    return largest(all, 2);
}
