__attribute__((weak, noinline)) int hook(void) { return 1; }
