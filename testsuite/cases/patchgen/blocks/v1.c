//#Dispatch:armed
//#Consistency:newest
//#Send:3
//#Expect:saved 35
//#Config:one-before
//#CompArgs:-O2 -fblocks -DKIND=1
//#Send:3
//#Expect:saved 35
//#Update:v2
//#Send:3
//#Expect:still 35
//#Config:one-before-that-is-called
//#CompArgs:-O2 -fblocks -DKIND=2
//#Send:3
//#Expect:saved 35
//#Update:v2
//#Send:3
//#Expect:still 35
//#Config:the-block-itself
//#CompArgs:-O2 -fblocks -DKIND=3
//#NoOracle:what is saved was made by the old code
//#ExpectClosure:__make_block_invoke, fire
//#Send:3
//#Expect:saved 35
//#Update:v2
//#Send:3
//#Expect:still 1035
//#Config:captures-more
//#CompArgs:-O2 -fblocks -DKIND=4
//#ExpectRefused:layout-changed unnamed type of __make_block_invoke
//#Config:two-could-be
//#CompArgs:-O2 -fblocks -DKIND=5
//#ExpectRefused:unpaired-function make
//#Config:only-the-line
//#CompArgs:-O2 -fblocks -DKIND=6
//#ExpectClosure:fire
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
    keep(^(long x) { return x * 10 + by + opaque_number(2); });
}

__attribute__((noinline)) static void fire(long x) { printf("saved %ld\n", run(saved, x)); }

void handle(const char *line) {
    if (!saved)
        make(3);
    fire(line[0] - '0');
}
