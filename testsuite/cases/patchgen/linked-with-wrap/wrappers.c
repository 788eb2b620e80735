int __real_part(int n);
int __wrap_part(int n) { return __real_part(n) + 1000; }
static int calls;
int __real_abs(int c);
int __wrap_abs(int c) { return calls++ < 0 ? 0 : __real_abs(c) + 1; }
