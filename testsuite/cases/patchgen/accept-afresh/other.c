#include "entry.h"

long first_two(void) { return table[0].count + table[1].count; }
