#define RATE 10
#include "shared.h"
__attribute__((noinline)) long their_rate(long n) { return rates[n]; }
__attribute__((noinline)) long their_bump() { return bump(); }
