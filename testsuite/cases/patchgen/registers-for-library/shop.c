#include <stdio.h>
int price(int n) { return n; }
