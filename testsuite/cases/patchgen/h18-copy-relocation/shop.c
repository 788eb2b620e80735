int stock;
int sell(void) { return stock += 1; } //#v2: int sell(void) { return stock += 10; }
