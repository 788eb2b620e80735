int other(void) { return 20; }
