#include <stdio.h>
int host(int n);
int work(int n) { return host(n) + 1; }
