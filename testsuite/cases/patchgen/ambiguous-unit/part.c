int WHICH(void) { return 1; }
