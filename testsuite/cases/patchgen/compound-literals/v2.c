#include "serve.h"

#if KIND == 3
struct number { long before, value; };
#define UNNAMED (&(struct number){0}.value)
#elif KIND == 5
static long errors_, counter_;
#else
#define UNNAMED (&(long){0})
#endif

#if KIND == 5
static long *errors = &errors_;
static long *counter = &counter_;
#else
static long *errors = UNNAMED;
static long *counter = UNNAMED;
#endif

#if KIND == 4
__attribute__((noinline)) static long bump(void) { return (*counter += 1) + (*errors += 0 * opaque_number(1)); }
#else
__attribute__((noinline)) static long bump(void) { return ++*counter; }
#endif

__attribute__((noinline)) static void show(void) {
    long count = bump();
#if KIND == 2
    *errors += 100;
#endif
    if (opaque_number(0))
        *errors += 1;
    printf("count %ld errors %ld\n", count, *errors);
}

void handle(const char *line) {
    (void)line;
    show();
}
