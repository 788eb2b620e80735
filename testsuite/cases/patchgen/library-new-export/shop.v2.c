__attribute__((noinline)) int added(int n) { return n * 2; }
int sell(int n) { return n + added(n); }
