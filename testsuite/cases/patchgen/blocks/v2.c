// A block that is kept runs the code of its number in the source; in v2 another one has that number.
#include "serve.h"

void *_NSConcreteStackBlock[32], *_NSConcreteGlobalBlock[32];
typedef long (^Block)(long);
static Block saved;
static char place[128];

__attribute__((noinline)) static void keep(Block block) {
    memcpy(place, (void *)block, 48);
    saved = (Block)(void *)place;
}

__attribute__((noinline)) static long run(Block block, long x) { return block(opaque_number(x)); }

__attribute__((noinline)) static void make(long by) {
    long z = opaque_number(7);
    (void)z;
#if KIND == 1
    keep(^(long x) { return x * 100 + z; });
#elif KIND == 2
    if (run(^(long x) { return x * 1000000 + z; }, 1) == 12345)
        puts("never");
#endif
#if KIND == 3
    keep(^(long x) { return x * 10 + by + opaque_number(1002); });
#elif KIND == 4
    keep(^(long x) { return x * 10 + z + by + opaque_number(2); });
#elif KIND == 5
    keep(^(long x) { return x * 100 + by + opaque_number(2); });
    keep(^(long x) { return x * 1000 + by + opaque_number(2); });
#else
    keep(^(long x) { return x * 10 + by + opaque_number(2); });
#endif
}

__attribute__((noinline)) static void fire(long x) { printf("still %ld\n", run(saved, x)); }

void handle(const char *line) {
    if (!saved)
        make(3);
    fire(line[0] - '0');
}
