#include <stdio.h>
void hook(int n) { printf("the library's hook %d\n", n); }
void visit(int n) { hook(n); } //#v2: void visit(int n) { hook(n + 1); }
