void add(int at, long (*callback)(void));
static long lefts;
static long left(void) { return ++lefts; }
__attribute__((constructor)) static void begin_left(void) { add(0, left); }
