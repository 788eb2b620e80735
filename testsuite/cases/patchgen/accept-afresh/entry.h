struct entry {
    long count;
    const char *name;
};

extern struct entry table[];
long first_two(void);
