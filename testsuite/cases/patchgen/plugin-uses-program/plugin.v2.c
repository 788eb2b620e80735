#include <stdio.h>
int host(int n);
int work(int n) { return n > 100 ? work(n - 1) : host(n) + host(n) + 2; }
