#include "serve.h"

#if KIND == 1
static long count;
#elif KIND == 3 || KIND == 6 || KIND == 8
static long total;
#define count total
#elif KIND == 4
static struct { long gap, value; } total_;
#define count total_.value
#elif KIND == 5
static double average;
#elif KIND == 7
static long total = 40;
#define count total
#endif

__attribute__((noinline)) static void show(void) {
#if KIND == 2 || KIND == 5
    static long count;
#endif
#if KIND == 6
    __atomic_fetch_add(&count, 1, __ATOMIC_SEQ_CST);
#else
    count += 1;
#endif
#if KIND == 5
    average += (double)opaque_number(1);
    if (average < 0)
        puts("never");
#endif
    printf("new %ld\n", count);
}

void handle(const char *line) {
    (void)line;
    show();
}
