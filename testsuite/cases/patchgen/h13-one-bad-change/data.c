int limit = 10; //#v2: int limit = 11;
void lower(void) { limit--; }
