void add(int at, long (*callback)(void));
static long lefts, rights;
static long left(void) { return ++lefts; }
static long right(void) { return ++rights; }
static long more(void) { return 0; }
__attribute__((constructor)) static void begin(void) { add(0, left), add(1, right), add(1, more), add(1, right); }
