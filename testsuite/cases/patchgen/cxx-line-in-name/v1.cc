//#Compiler:dsu-c++
//#ExpectChanged:handle(body)
//#ExpectClosure:handle
//#Send:go
//#Expect:v1 1 10 2
//#Update:v2
//#Send:go
//#Expect:v2 2 20 2
//#Config:names
//#CompArgs:-O2
//#Config:unoptimised
//#CompArgs:-O0
// Names made from lines in C++: a variable of the file, one that all units could see, a function in a table.
#include "serve.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define HERE(name) JOIN(name, __LINE__)
static long HERE(own_); static long *const own = &HERE(own_);
long HERE(seen_); static long *const seen = &HERE(seen_);
static long HERE(test_)(long n) { return opaque_number(n) + 1; } static long (*const tests[])(long) = {HERE(test_)};

void handle(const char *line) { printf("v1 %ld %ld %ld\n", *own += 1, *seen += 10, tests[argument(line)](1)); }
