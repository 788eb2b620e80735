const char *const words[] = {"zero", "one", "two"};

__attribute__((noinline)) const char *const *table(void) { return words; }

__attribute__((noinline)) int next_label(int n) {
    static void *const labels[] = {&&first, &&second, &&third};
    goto *labels[n];
first:
    return 10;
second:
    return 20 + n;
third:
    return 30 * n;
}
