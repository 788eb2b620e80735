/* The page that says which versions a call may run: every call that starts now and ends now runs the version of one
 * of the updates from the last one that is over to the last one that has begun. */
#ifndef STAGE_H
#define STAGE_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* Versions remembered; no call lasts longer than so many updates. */
enum { STAGES = 1 << 16 };

struct stage {
    atomic_uint begun, over;
    atomic_uchar version[STAGES]; /* of each update by its number, modulo STAGES */
};

/* Maps the file, which the harness has filled with zeros; update 0 is the start, with version 1. */
static inline struct stage *stage_open(const char *path)
{
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *page;

    if (file < 0 || ftruncate(file, sizeof(struct stage)))
        return NULL;
    page = mmap(NULL, sizeof(struct stage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (page == MAP_FAILED)
        return NULL;
    atomic_store(&((struct stage *)page)->version[0], 1);
    return page;
}

#endif
