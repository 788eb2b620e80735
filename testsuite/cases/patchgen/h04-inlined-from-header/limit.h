static inline int limit(void) { return 5; }
