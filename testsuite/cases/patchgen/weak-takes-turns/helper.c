int hook(void) { return 20; }
