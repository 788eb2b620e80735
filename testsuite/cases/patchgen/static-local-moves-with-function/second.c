void nothing_else(void) {}
