int limit = 10;
void lower(void) { limit--; }
