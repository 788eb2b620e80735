void add(int at, long (*callback)(void));
static long twenty(void) { return 20; }
__attribute__((constructor)) static void start(void) { add(2, twenty); }
