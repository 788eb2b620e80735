//#CompArgs:-O2 -mllvm -hot-cold-split=true
//#Send:go 5
//#Expect:5
//#Send:go -5
//#Expect:too small by 5
//#Update:v2
//#Send:go 5
//#Expect:5
//#Send:go -5
//#Expect:far too small by 5
// `first.cold.1` and `work.cold.1`: pieces that LLVM cut off stay with the function they came from.
#include "serve.h"

__attribute__((cold, noinline)) void complain(const char *text, long by) { printf("%s by %ld\n", text, by); }

__attribute__((noinline)) long first(long n) {
    if (__builtin_expect(n > 1000000, 0)) {
        complain("too large", n);
        complain("really", n);
        return 0;
    }
    return n;
}

__attribute__((noinline)) void work(long n) {
    if (__builtin_expect(n < 0, 0)) {
        complain("too small", -n); //#v2: complain("far too small", -n);
        return;
    }
    printf("%ld\n", first(n));
}

void handle(const char *line) { work(argument(line)); }
