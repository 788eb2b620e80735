__attribute__((visibility("hidden"))) int count = 1;
__attribute__((visibility("hidden"))) int added(int x) {
    count = 2;
    return x + 1;
}
