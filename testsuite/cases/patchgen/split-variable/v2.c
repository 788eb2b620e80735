// The optimiser makes a variable of each member that is used, and numbers them: `st.0` is another member in v2.
#include "serve.h"

#if KIND == 3
static long st[2];
#define FIRST st[0]
#define SECOND st[1]
#elif KIND == 4
static struct { struct { long first, unused; } in; struct { long gap, second; } on; } st;
#define FIRST st.in.first
#define SECOND st.on.second
#elif KIND == 5
static struct { long first, second; } st;
void *volatile whole = &st;
#define FIRST st.first
#define SECOND st.second
#else
#if KIND == 1
static struct { long first, second; } st;
#endif
#define FIRST st.first
#define SECOND st.second
#endif

__attribute__((noinline)) static void count(void) {
#if KIND == 2
    static struct { long first, second; } st;
#endif
    SECOND += 1;
    printf("only second %ld\n", SECOND);
}

void handle(const char *line) {
    (void)line;
    count();
}
