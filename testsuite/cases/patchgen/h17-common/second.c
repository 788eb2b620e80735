int shared;
void bump(void) { shared++; }
