static inline int limit(void) { return 6; }
