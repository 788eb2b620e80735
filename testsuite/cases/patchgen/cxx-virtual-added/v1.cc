//#Compiler:dsu-c++
//#ExpectRefused:data-changed _ZTV6square
//#Send:go 3
//#Expect:9
// Objects that exist lead to the old table of virtual functions, which lacks the new one.
#include "serve.h"

struct shape {
    virtual ~shape() {}
    //#v2+: virtual long edge(long n) const { return opaque_number(4 * n); }
    virtual long area(long n) const = 0;
};
struct square : shape {
    long area(long n) const override { return opaque_number(n * n); }
};

static shape *kept = new square;

void handle(const char *line) { printf("%ld\n", kept->area(argument(line))); } //#v2: void handle(const char *line) { printf("%ld\n", kept->area(argument(line)) + kept->edge(1)); }
