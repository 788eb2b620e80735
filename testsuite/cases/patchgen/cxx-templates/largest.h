template <typename T> __attribute__((noinline)) T largest(const T *all, int count) {
    T best{};
    for (int i = 0; i < count; i++)
        best = best < all[i] ? all[i] : best;
    return best;
}
