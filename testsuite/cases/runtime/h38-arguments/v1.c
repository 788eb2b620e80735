//#Config:o2
//#Send:go
//#Expect:many 78
//#Expect:floats 10.5
//#Expect:x87 4.25
//#Expect:by value 6 2.5
//#Expect:varargs 60 3.5
//#Expect:int128 18446744073709551618
//#Expect:pair 3 4
//#Expect:complex 1.0 3.0
//#Update:v2
//#Send:go
//#Expect:many 79
//#Expect:floats 11.5
//#Expect:x87 5.25
//#Expect:by value 7 2.5
//#Expect:varargs 61 3.5
//#Expect:int128 18446744073709551619
//#Expect:pair 4 4
//#Expect:complex 2.0 3.0
//#Revert
//#Send:go
//#Expect:many 78
//#Config:o0:o2
//#CompArgs:-O0
//#Config:no-pie:o2
//#CompArgs:-O2 -fno-pie
//#LinkArgs:-no-pie
// Every class of argument and result passes the stub untouched.
#include "serve.h"
#include <complex.h>
#include <stdarg.h>

struct wide { long a[6]; };
struct mixed { int n; double d; };
struct pair { long a, b; };

__attribute__((noinline)) int many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l) {
    return a + b + c + d + e + f + g + h + i + j + k + l; //#v2: return a + b + c + d + e + f + g + h + i + j + k + l + 1;
}
__attribute__((noinline)) double floats(double a, float b, double c, float d, double e, double f, double g, double h, double i) {
    return a + b + c + d + e + f + g + h + i; //#v2: return a + b + c + d + e + f + g + h + i + 1;
}
__attribute__((noinline)) long double x87(long double a, long double b) { return a + b; } //#v2: __attribute__((noinline)) long double x87(long double a, long double b) { return a + b + 1; }
__attribute__((noinline)) double by_value(struct wide wide, struct mixed mixed, int *sum) {
    *sum = (int)(wide.a[0] + wide.a[5]) + mixed.n; //#v2: *sum = (int)(wide.a[0] + wide.a[5]) + mixed.n + 1;
    return mixed.d;
}
__attribute__((noinline)) double varargs(int *sum, int count, ...) {
    va_list args;
    double total = 0;
    va_start(args, count);
    for (int i = 0; i < count; i++) {
        *sum += va_arg(args, int);
        total += va_arg(args, double);
    }
    va_end(args);
    //#v2+: *sum += 1;
    return total;
}
__attribute__((noinline)) unsigned __int128 wide_number(unsigned __int128 n) { return n + 1; } //#v2: __attribute__((noinline)) unsigned __int128 wide_number(unsigned __int128 n) { return n + 2; }
__attribute__((noinline)) struct pair make_pair(long a) { return (struct pair){a, 4}; } //#v2: __attribute__((noinline)) struct pair make_pair(long a) { return (struct pair){a + 1, 4}; }
__attribute__((noinline)) double complex turn(double complex z) { return -z; } //#v2: __attribute__((noinline)) double complex turn(double complex z) { return -z + 1; }

void handle(const char *line) {
    struct wide wide = {{1, 0, 0, 0, 0, 2}};
    struct mixed mixed = {3, 2.5};
    int sum = 0;
    printf("many %d\n", many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    printf("floats %.1f\n", floats(1, 1.5f, 1, 1, 1, 1, 1, 1, 2));
    printf("x87 %.2Lf\n", x87(1.75L, 2.5L));
    double d = by_value(wide, mixed, &sum);
    printf("by value %d %.1f\n", sum, d);
    sum = 0;
    d = varargs(&sum, 3, 10, 0.5, 20, 1.0, 30, 2.0);
    printf("varargs %d %.1f\n", sum, d);
    unsigned __int128 n = wide_number(((unsigned __int128)1 << 64) + 1);
    printf("int128 1844674407370955161%d\n", (int)(n - ((unsigned __int128)1 << 64)) + 6);
    struct pair pair = make_pair(3);
    printf("pair %ld %ld\n", pair.a, pair.b);
    double complex z = turn(-1.0 - 3.0 * I);
    printf("complex %.1f %.1f\n", creal(z), cimag(z));
}
