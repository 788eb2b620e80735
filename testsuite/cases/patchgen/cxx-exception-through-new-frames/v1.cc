//#Compiler:dsu-c++
//#ExpectClosure:_Z5innerl, _Z5outerl
//#Send:go 1
//#Expect:1
//#Send:go -1
//#Expect:left outer
//#Expect:caught negative
//#Update:v2
//#Send:go -1
//#Expect:left new outer
//#Expect:caught very negative
//#Send:go 1
//#Expect:2
// Thrown in a new function, through the cleanup of a new function, caught in an old one.
#include "serve.h"
#include <stdexcept>

struct leave {
    const char *name;
    ~leave() { printf("left %s\n", name); }
};

__attribute__((noinline)) long inner(long n) {
    if (n < 0)
        throw std::domain_error("negative"); //#v2: throw std::domain_error("very negative");
    return opaque_number(n); //#v2: return opaque_number(n) + 1;
}

__attribute__((noinline)) long outer(long n) {
    if (n > 0)
        return inner(n);
    leave leave{opaque("outer")}; //#v2: leave leave{opaque("new outer")};
    return inner(n);
}

void handle(const char *line) {
    try {
        printf("%ld\n", outer(argument(line)));
    } catch (const std::exception &error) {
        printf("caught %s\n", error.what());
    }
}
