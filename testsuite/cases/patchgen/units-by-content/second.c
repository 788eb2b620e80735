void add(int at, long (*callback)(void));
static long ten(void) { return 10; }
__attribute__((constructor)) static void start(void) { add(1, ten); }
