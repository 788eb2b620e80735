void add(int at, long (*callback)(void));
void set_text(const char *(*function)(void));
static long calls;
__attribute__((noinline)) static const char *step(void) { return "first"; }
__attribute__((noinline)) static long count(void) { return ++calls; }
__attribute__((constructor)) static void start(void) { add(0, count), set_text(step); }
