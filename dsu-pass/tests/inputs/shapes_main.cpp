// Calls what shapes.cpp defines, and shares an inline function with it.
#include <cstdio>

int outside(int x) { return x + 1; }
int run(int x);
inline int shared_inline(int x) { static int calls; return x + ++calls; }
int main() { for (int x = 1; x < 6; x++) std::printf("run %d %d\n", run(x), shared_inline(x)); }
