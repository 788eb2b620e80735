int WHICH(void) { return 2; }
