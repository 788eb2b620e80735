//#Config:copies-of-another
//#CompArgs:-O2 -DOTHER
//#ExpectChanged:args(type), fill(signature), work(body)
//#Send:go 3
//#Expect:9 7
//#Update:v2
//#Send:go 3
//#Expect:10 7
//#Config:results-of-another:copies-of-another
//#CompArgs:-O2 -DRESULT
//#Config:less-optimised:copies-of-another
//#CompArgs:-O1 -DOTHER
//#Config:copies-of-it
//#CompArgs:-O2 -DITSELF
//#ExpectRefused:layout-changed args
//#Config:copies-of-what-holds-it
//#CompArgs:-O2 -DHOLDER
//#ExpectRefused:layout-changed args
// Objects of one type are on stacks alone; copies of another one, handed over by value, say nothing about them.
#include "serve.h"

struct args {
    int x, y;
};
struct other {
    long n[4];
};
__attribute__((noinline)) void fill(struct args *a, int v) {
    a->x = v;
    a->y = (int)opaque_number(v * 2);
}
__attribute__((noinline)) int work(int v) {
    struct args a;
    fill(&a, v);
    return a.x + a.y;
}
#if defined OTHER
__attribute__((noinline)) long take(struct other o) { return o.n[0] + o.n[3]; }
__attribute__((noinline)) long pass(struct other o) { return take(o) + 1; }
static long others(void) {
    struct other o = {{3, 0, 0, opaque_number(3)}};
    return pass(o);
}
#elif defined RESULT
__attribute__((noinline)) struct other make(long n) { return (struct other){{n, 0, 0, opaque_number(4)}}; }
__attribute__((noinline)) struct other again(long n) { return make(n); }
static long others(void) {
    struct other o = again(3);
    return o.n[0] + o.n[3];
}
#elif defined ITSELF
struct args kept;
static long others(void) { return kept.x + 7; }
#else
struct holder {
    struct args a;
    long n[4];
};
__attribute__((noinline)) long take(struct holder h) { return h.a.x + h.n[3]; }
static long others(void) {
    struct holder h = {{3, 4}, {0, 0, 0, opaque_number(4)}};
    return take(h);
}
#endif

void handle(const char *line) { printf("%d %ld\n", work((int)argument(line)), others()); }
