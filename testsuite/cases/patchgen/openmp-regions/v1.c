//#Unit:libomp.c
//#Config:body
//#CompArgs:-O2 -Xclang -fopenmp
//#ExpectClosure:sum, sum.omp_outlined
//#Send:go
//#Expect:9900 3
//#Update:v2
//#Send:go
//#Expect:14850 3
//#Config:one-capture-more:body
//#CompArgs:-O2 -Xclang -fopenmp -DCAPTURE
//#Config:one-region-before:body
//#CompArgs:-O2 -Xclang -fopenmp -DBEFORE
//#ExpectClosure:sum, sum.omp_outlined, sum.omp_outlined.4, sum.omp_outlined_debug__.3.omp.reduction.reduction_func
//#Config:lines-move
//#CompArgs:-O2 -Xclang -fopenmp -DLINES
//#ExpectNoChange
// Loops that OpenMP's library runs: functions without a name in the source, handed over together with what they work on.
#include "serve.h"

__attribute__((noinline)) static long sum(int n, long factor) {
    long s = 0 * opaque_number(factor);
#pragma omp parallel for reduction(+ : s) num_threads(2)
    for (int i = 0; i < n; i++)
        s += i * 2;
    return s;
}

void handle(const char *line) {
    int one = 1;
    long s = sum((int)opaque_number(100), opaque_number(3));
#pragma omp parallel for reduction(+ : one)
    for (int i = 0; i < 2; i++)
        one += 1;
    printf("%ld %d\n", s, one);
}
