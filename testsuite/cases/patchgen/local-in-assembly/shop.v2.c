int table_of(int n);
extern int stock;
int price(int n) { return table_of(n) + stock; }
