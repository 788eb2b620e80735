__attribute__((noinline)) int price(int n, int more) { return n * 10 + more; }
int total(void) { return price(1, 2); }
