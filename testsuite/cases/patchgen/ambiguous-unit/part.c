static __attribute__((noinline)) int step(void) {
    int number = 1;
    __asm__ volatile("" : "+r"(number));
    return number;
}

int WHICH(void) { return step(); }
