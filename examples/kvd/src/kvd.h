/* kvd: a small multi-threaded key-value server. This header is what its three parts know of each other. */
#ifndef KVD_H
#define KVD_H

#include <stdbool.h>
#include <stddef.h>

#if __has_include("dsu.h")
#include "dsu.h" /* found by itself under dsu-cc */
#else
#define DSU_QUIESCENCE_POINT() ((void)0)
#endif

enum {
    KEY_MAX = 250,
    VALUE_MAX = 8192,
    LINE_MAX_BYTES = 16384, /* longest request, and room for the longest reply */
};

/* store.c: the table. Keys and values are copied in and out, so nobody outside holds a lock. */
enum store_result { STORE_OK, STORE_MISSING, STORE_NOT_A_NUMBER, STORE_NO_MEMORY };

struct store_totals {
    unsigned long items, bytes, hits, misses;
};

void store_init(void);
enum store_result store_get(const char *key, char *value, size_t *length);
enum store_result store_set(const char *key, const char *value, size_t length, long ttl_ms);
enum store_result store_delete(const char *key);
enum store_result store_add(const char *key, long long delta, long long *result);
void store_totals(struct store_totals *totals);

/* command.c: one request line in, one reply line out. */
enum command_result { COMMAND_REPLY, COMMAND_QUIT };

enum command_result command_run(char *line, char *reply, size_t room);

/* server.c: sockets and threads. */
struct server_counts {
    unsigned long connections, requests;
};

int server_run(const char *address, int port, int threads);
void server_stop(void);
void server_counts(struct server_counts *counts);

#endif
