int stock(void) { return 1; }
