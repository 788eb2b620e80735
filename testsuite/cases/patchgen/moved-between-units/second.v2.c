int caller(void);
__attribute__((noinline)) int work(void) {
    int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}
int caller(void) { return work(); }
