//#CompArgs:-O2 -fsemantic-interposition
//#Lib:shop.c
//#Module:libshop.so
//#ExpectClosure:visit
//#Send:go
//#Expect:the program's hook 1
//#Update:v2
//#Send:go
//#Expect:the program's hook 2
// The program's `hook` wins over the library's, for the library's new code as for its old.
#include "serve.h"

void visit(int n);
void hook(int n) { printf("the program's hook %d\n", n); }

void handle(const char *line) { visit(1); }
