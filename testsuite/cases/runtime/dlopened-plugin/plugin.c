__attribute__((noinline)) static int answer(void) {
    int value = 1; //#v2: int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}
int ask(void) { return answer(); }
