static int limit = 4;
static const char *const names[] = {"none", "one"};

int limit_of(int set) {
    if (set)
        limit++;
    return limit;
}

const char *name_of(int n) { return names[n & 1]; }
