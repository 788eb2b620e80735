#ifdef STRONG
int hook(void) { return 20; }
const int limit = 900;
long state = 5;
#endif
int unused_here(void) { return 0; }
