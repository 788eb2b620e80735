inline const long rates[] = {1, RATE};
#if RATE > 10
inline long fresh = 100;
__attribute__((noinline)) inline long bump() {
    static long calls;
    return ++fresh + ++calls;
}
#else
__attribute__((noinline)) inline long bump() { return 0; }
#endif
long their_rate(long n);
long their_bump();
