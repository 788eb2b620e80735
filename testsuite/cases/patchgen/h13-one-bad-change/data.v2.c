int limit = 11;
void lower(void) { limit--; }
