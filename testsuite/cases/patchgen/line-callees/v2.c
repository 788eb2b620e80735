// Line numbers for assertions: of one line, of a macro over several, of an inlined function, of the caller's.
#include "serve.h"

#include <assert.h>

// Three
// more lines.

__attribute__((noinline)) void trace(int level, int line) { printf("%d %d\n", level, line != 0); }
__attribute__((noinline)) void _serverAssert(const char *text, const char *file, int line) {
    printf("%s:%d: %s\n", file, line, text);
    abort();
}
__attribute__((noinline)) long careful(long n) {
    assert(n < 100);
    assert(n != 7 &&
           n != 8 &&
           "unlucky");
    return opaque_number(n);
}
static inline void positive(long n, int line) {
    if (n < 0)
        _serverAssert("n >= 0", __FILE__, line);
}
__attribute__((noinline)) long by_caller(long n) {
#ifdef __OPTIMIZE__
    positive(n, __LINE__);
#else
    positive(n, 1);
#endif
    return opaque_number(n);
}
static inline void small(long n) { assert(n < 50); }
__attribute__((noinline)) long inlined(long n) {
    small(n);
    return opaque_number(n);
}
#if defined UNKNOWN
__attribute__((noinline)) void told(void) { trace(1, __LINE__); }
#elif defined MISPLACED
__attribute__((noinline)) void told(void) { trace(1, __LINE__ + 1); }
#else
static inline void told(void) {}
#endif

void handle(const char *line) {
    assert(line[0]);
    told();
    printf("%ld\n", careful(opaque_number(1)) + by_caller(opaque_number(2)) + inlined(opaque_number(3)));
}
