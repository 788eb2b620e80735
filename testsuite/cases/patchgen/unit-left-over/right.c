void add(int at, long (*callback)(void));
static long rights;
static long right(void) { return ++rights; }
__attribute__((constructor)) static void begin_right(void) { add(1, right); }
