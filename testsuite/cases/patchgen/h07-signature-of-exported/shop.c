__attribute__((noinline)) int price(int n) { return n * 10; }
int total(void) { return price(1); }
