int table_of(int n);
int price(int n) { return table_of(n) + 1; }
