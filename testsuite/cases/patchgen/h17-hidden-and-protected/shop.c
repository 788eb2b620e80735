static int state = 1;
__attribute__((visibility("hidden"), noinline)) int inner(void) { return state; } //#v2: __attribute__((visibility("hidden"), noinline)) int inner(void) { return state * 2; }
__attribute__((visibility("protected"), noinline)) int guarded(void) { return state * 10; } //#v2: __attribute__((visibility("protected"), noinline)) int guarded(void) { return state * 20; }
void set(int n) { state = n; }
int outer(void) { return inner() + guarded(); }
