long price(long n) { return n * 10; }
