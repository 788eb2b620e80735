/* The table: shards with a lock each, chained buckets that grow with their shard. */
#include "kvd.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHARDS = 64, FIRST_BUCKETS = 16 };

struct entry {
    struct entry *next;
    uint64_t hash;
    int64_t expires_ms; /* 0: never */
    size_t length;
    char *value;
    char key[];
};

struct shard {
    pthread_mutex_t lock;
    struct entry **buckets;
    size_t bucket_count, items, bytes;
    unsigned long hits, misses;
};

static struct shard shards[SHARDS];

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t hash_key(const char *key)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

    while (*key)
        hash = (hash ^ (unsigned char)*key++) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

static struct shard *lock_shard(uint64_t hash)
{
    struct shard *shard = &shards[hash % SHARDS];

    pthread_mutex_lock(&shard->lock);
    return shard;
}

static struct entry **bucket_of(struct shard *shard, uint64_t hash)
{
    return &shard->buckets[hash / SHARDS % shard->bucket_count];
}

/* The link that points at the entry, so that the caller can take it out; NULL if there is none. */
static struct entry **find(struct shard *shard, uint64_t hash, const char *key)
{
    struct entry **link = bucket_of(shard, hash);

    for (; *link; link = &(*link)->next)
        if ((*link)->hash == hash && strcmp((*link)->key, key) == 0)
            return link;
    return NULL;
}

static bool expired(const struct entry *entry)
{
    return entry->expires_ms && entry->expires_ms <= now_ms();
}

static void unlink_entry(struct shard *shard, struct entry **link)
{
    struct entry *entry = *link;

    *link = entry->next;
    shard->items--;
    shard->bytes -= entry->length;
    free(entry->value);
    free(entry);
}

static void grow(struct shard *shard)
{
    size_t old_count = shard->bucket_count;
    struct entry **old = shard->buckets;
    struct entry **buckets = calloc(old_count * 2, sizeof *buckets);

    if (!buckets)
        return; /* longer chains are slower, not wrong */
    shard->buckets = buckets;
    shard->bucket_count = old_count * 2;
    for (size_t i = 0; i < old_count; i++) {
        struct entry *entry = old[i], *next;

        for (; entry; entry = next) {
            struct entry **link = bucket_of(shard, entry->hash);

            next = entry->next;
            entry->next = *link;
            *link = entry;
        }
    }
    free(old);
}

static struct entry *insert(struct shard *shard, uint64_t hash, const char *key)
{
    size_t size = strlen(key) + 1;
    struct entry *entry = calloc(1, sizeof *entry + size);
    struct entry **link;

    if (!entry)
        return NULL;
    if (shard->items > shard->bucket_count * 2)
        grow(shard);
    memcpy(entry->key, key, size);
    entry->hash = hash;
    link = bucket_of(shard, hash);
    entry->next = *link;
    *link = entry;
    shard->items++;
    return entry;
}

/* The old value is gone only once the new one is there. */
static enum store_result replace_value(struct shard *shard, struct entry *entry, const char *value, size_t length)
{
    char *copy = malloc(length + 1);

    if (!copy)
        return STORE_NO_MEMORY;
    memcpy(copy, value, length);
    copy[length] = '\0';
    shard->bytes += length - entry->length;
    free(entry->value);
    entry->value = copy;
    entry->length = length;
    return STORE_OK;
}

void store_init(void)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&shards[i].lock, NULL);
        shards[i].bucket_count = FIRST_BUCKETS;
        shards[i].buckets = calloc(FIRST_BUCKETS, sizeof *shards[i].buckets);
        if (!shards[i].buckets) {
            fputs("kvd: no memory for the table\n", stderr);
            exit(1);
        }
    }
}

enum store_result store_get(const char *key, char *value, size_t *length)
{
    uint64_t hash = hash_key(key);
    struct shard *shard = lock_shard(hash);
    struct entry **link = find(shard, hash, key);
    bool present = link && !expired(*link);

    if (present) {
        *length = (*link)->length;
        memcpy(value, (*link)->value, *length + 1);
        shard->hits++;
    } else {
        shard->misses++;
    }
    pthread_mutex_unlock(&shard->lock);
    return present ? STORE_OK : STORE_MISSING;
}

enum store_result store_set(const char *key, const char *value, size_t length, long ttl_ms)
{
    uint64_t hash = hash_key(key);
    struct shard *shard = lock_shard(hash);
    struct entry **link = find(shard, hash, key);
    struct entry *entry = link ? *link : insert(shard, hash, key);
    enum store_result result = STORE_NO_MEMORY;

    if (entry) {
        result = replace_value(shard, entry, value, length);
        entry->expires_ms = ttl_ms > 0 ? now_ms() + ttl_ms : 0;
    }
    if (entry && !entry->value)
        unlink_entry(shard, find(shard, hash, key));
    pthread_mutex_unlock(&shard->lock);
    return result;
}

enum store_result store_delete(const char *key)
{
    uint64_t hash = hash_key(key);
    struct shard *shard = lock_shard(hash);
    struct entry **link = find(shard, hash, key);
    bool present = link && !expired(*link);

    if (link)
        unlink_entry(shard, link);
    pthread_mutex_unlock(&shard->lock);
    return present ? STORE_OK : STORE_MISSING;
}

enum store_result store_add(const char *key, long long delta, long long *result)
{
    uint64_t hash = hash_key(key);
    struct shard *shard = lock_shard(hash);
    struct entry **link = find(shard, hash, key);
    enum store_result outcome = STORE_MISSING;

    if (link && !expired(*link)) {
        char digits[32];
        int length;

        *result = (long long)((unsigned long long)strtoll((*link)->value, NULL, 10) + (unsigned long long)delta);
        length = snprintf(digits, sizeof digits, "%lld", *result);
        outcome = replace_value(shard, *link, digits, (size_t)length);
    }
    pthread_mutex_unlock(&shard->lock);
    return outcome;
}

void store_totals(struct store_totals *totals)
{
    memset(totals, 0, sizeof *totals);
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&shards[i].lock);
        totals->items += shards[i].items;
        totals->bytes += shards[i].bytes;
        totals->hits += shards[i].hits;
        totals->misses += shards[i].misses;
        pthread_mutex_unlock(&shards[i].lock);
    }
}
