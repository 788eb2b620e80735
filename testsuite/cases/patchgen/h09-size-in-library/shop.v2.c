long prices[4] = {10, 20, 30, 40};

long price(long number) { return prices[number & 3]; }
