// v2 writes the variable no more, so that the optimiser takes its first value for it; the process has another.
#include "serve.h"

#if KIND == 4
static struct { long other, limit; } st = {0, 0};
#define LIMIT st.limit
#elif KIND == 2
static long limit[4];
#define LIMIT limit[opaque_number(2)]
#elif KIND == 5
static _Bool limit;
static long calls;
#define LIMIT limit
#elif KIND == 6
static const char *limit = "10";
#elif KIND != 3
static long limit;
#define LIMIT limit
#endif

__attribute__((noinline)) static void show(void) {
#if KIND == 3
    static long limit;
#define LIMIT limit
#endif
#if KIND == 5
    calls += 10;
    printf("%ld\n", LIMIT ? calls : 10l);
#elif KIND == 6
    puts(limit);
#elif KIND == 4
    st.other += 1;
    printf("%ld\n", LIMIT + (st.other < 0));
#elif KIND == 7
    LIMIT += 10;
    puts("limit");
#else
#if KIND == 8
    LIMIT += 10;
#endif
    printf("limit %ld\n", LIMIT);
#endif
}

void handle(const char *line) {
    (void)line;
    show();
}
