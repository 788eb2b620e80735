static long sold;
__attribute__((noinline)) long price(long items) { return items * 10; } //#v2: __attribute__((noinline)) long price(long items) { return items * 12; }
long total(long items) {
    sold += items;
    return price(items);
}
