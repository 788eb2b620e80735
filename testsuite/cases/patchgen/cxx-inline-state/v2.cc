// Variables and constants that several units define alike are one: what is new is shared by all of them.
#define RATE 20
#include "shared.h"
#include "serve.h"

void handle(const char *line) {
    long mine = bump() + fresh - fresh, theirs = their_bump();
    printf("%ld %ld %ld %ld\n", mine, theirs, their_rate(opaque_number(1)), rates[argument(line) & 1]);
}
