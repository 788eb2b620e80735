#include "dsu.h"

#ifndef LIMIT
#error name the limit
#endif

extern int limit;
extern int vetoes DSU_STATIC("main.c", vetoes);
void refuse(int count) DSU_STATIC("main.c", refuse);
int twice(int value);

int dsu_pre_apply(void) {
    if (limit > 100)
        refuse(1);
    return limit > 100;
}

int dsu_pre_revert(void) { return vetoes > 5; }

void dsu_post_apply(void) { limit += twice(1); }

void dsu_transform_limit(const void *old, void *now) {
    if (*(const int *)old < LIMIT)
        *(int *)now = LIMIT;
}

void dsu_transform_handle_seen(const void *old, void *now) { *(int *)now = *(const int *)old + 7; }

int dsu_post_revert(void) {
    limit = 11;
    return 0;
}
