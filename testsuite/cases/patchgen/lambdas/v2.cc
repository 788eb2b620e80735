// A lambda that is kept runs the code of its number in the source; in v2 another one has that number.
#include "serve.h"
#include <functional>

static std::function<long(long)> saved;

__attribute__((noinline)) static void make(long by) {
    long z = opaque_number(7);
    (void)z;
#if KIND == 1
    saved = [z](long x) { return x * 100 + z; };
#endif
#if KIND == 2
    saved = [by](long x) { return x * 10 + by + opaque_number(1003); };
#elif KIND == 3
    saved = [z, by](long x) { return x * 10 + z + by + opaque_number(3); };
#elif KIND == 4
    saved = [by](long x) { return x * 100 + by + opaque_number(3); };
    saved = [by](long x) { return x * 1000 + by + opaque_number(3); };
#else
    saved = [by](long x) { return x * 10 + by + opaque_number(3); };
#endif
}

__attribute__((noinline)) static void fire(long x) { printf("still %ld\n", saved(x)); }

void handle(const char *line) {
    if (!saved)
        make(3);
    fire(line[0] - '0');
}
