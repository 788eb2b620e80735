// A file was cut in two, of which either could be the old one: neither is passed over.
#include "serve.h"

static long (*callbacks[2])(void);
void add(int at, long (*callback)(void)) { callbacks[at] = callback; }

void handle(const char *line) {
    (void)line;
    printf("now %ld %ld\n", callbacks[0](), callbacks[1] ? callbacks[1]() : 1);
}
