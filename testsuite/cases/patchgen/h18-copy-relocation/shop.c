int stock;
int sell(void) { return stock += 1; }
