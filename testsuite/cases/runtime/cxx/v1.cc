//#Compiler:dsu-c++
//#Send:area 3
//#Expect:9 square
//#Send:throw
//#Expect:caught too much
//#Update:v2
//#Send:area 3
//#Expect:18 square
//#Send:throw
//#Expect:caught far too much
//#Revert
//#Send:area 3
//#Expect:9 square
//#Send:throw
//#Expect:caught too much
// Virtual functions, exceptions through old and new frames.
#include "serve.h"
#include <stdexcept>

struct Shape {
    virtual ~Shape() {}
    virtual long area(long n) const = 0;
    virtual const char *name() const = 0;
};

struct Square : Shape {
    long area(long n) const override;
    const char *name() const override;
};

__attribute__((noinline)) long Square::area(long n) const { return n * n; } //#v2: __attribute__((noinline)) long Square::area(long n) const { return n * n * 2; }
__attribute__((noinline)) const char *Square::name() const { return "square"; }

__attribute__((noinline)) void overflow(long n) {
    if (n >= 0)
        throw std::runtime_error("too much"); //#v2: throw std::runtime_error("far too much");
}

static Square square;
static Shape *volatile shape = &square;

void handle(const char *line) {
    if (is(line, "area")) {
        printf("%ld %s\n", shape->area(argument(line)), shape->name());
        return;
    }
    try {
        overflow(argument(line));
    } catch (const std::exception &error) {
        printf("caught %s\n", error.what());
    }
}
