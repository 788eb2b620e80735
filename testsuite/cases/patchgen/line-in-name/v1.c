//#Config:entries
//#CompArgs:-O2
//#ExpectChanged:fixed(body)
//#ExpectClosure:fixed
//#Send:go
//#Expect:v1
//#Expect:total 1 2 3
//#Send:go
//#Expect:total 2 4 6
//#Update:v2
//#Send:go
//#Expect:v2
//#Expect:total 3 6 9
//#Revert
//#Send:go
//#Expect:v1
//#Expect:total 4 8 12
//#Config:unoptimised:entries
//#CompArgs:-O0
//#Config:one-more
//#CompArgs:-O2 -DMORE
//#ExpectRefused:section-changed
// Variables and functions whose names a macro makes from the line, with the line inside: those of the old lines.
#include "serve.h"

struct count {
    const char *file;
    int line, step;
    long n;
};
extern struct count __start_counts[], __stop_counts[];
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define COUNT(step) \
    ({ \
        static struct count JOIN(count_, __LINE__) __attribute__((section("counts"), used)) = {__FILE__, __LINE__, step, 0}; \
        JOIN(count_, __LINE__).n += step; \
    })
static void __attribute__((constructor)) JOIN(began_, __LINE__)(void) {}
__attribute__((noinline)) void fixed(void) { puts("v1"); }
__attribute__((noinline)) void one(void) { COUNT(1); }
__attribute__((noinline)) void two(void) {
    COUNT(2);
    COUNT(3
    );
}
void handle(const char *line) {
    fixed();
    one();
    two();
    printf("total");
    for (struct count *c = __start_counts; c < __stop_counts; c++)
        printf(" %ld", c->n);
    puts("");
}
