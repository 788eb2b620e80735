static __attribute__((noinline)) int step(void) {
    int number = 2;
    __asm__ volatile("" : "+r"(number));
    return number;
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
int JOIN(WHICH, _again)(void) { return step(); }
