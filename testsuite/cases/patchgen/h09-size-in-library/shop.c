long prices[2] = {10, 20};

long price(long number) { return prices[number & 1]; }
