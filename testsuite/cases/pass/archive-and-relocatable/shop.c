long price(long n) { return n * 10; } //#v2: long price(long n) { return n * 11; }
