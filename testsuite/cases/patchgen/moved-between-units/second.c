int work(void);
int caller(void) { return work(); }
