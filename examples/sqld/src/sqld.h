/* sqld: SQL over a socket, a line a statement. */
#ifndef SQLD_H
#define SQLD_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__has_include)
#if __has_include("dsu.h")
#include "dsu.h"
#endif
#endif
#ifndef DSU_QUIESCENCE_POINT
#define DSU_QUIESCENCE_POINT()
#define DSU_IDLE_BEGIN()
#define DSU_IDLE_END()
#endif

struct sqlite3;

enum { LINE_BYTES = 4096 };

/* A growing reply. */
struct reply {
    char *text;
    size_t length, room;
    bool failed; /* out of memory: what follows is dropped */
};

void reply_add(struct reply *reply, const char *text, size_t length);

/* Every worker has a connection of its own to the one database. */
struct sqlite3 *engine_open(const char *path);
void engine_close(struct sqlite3 *engine);

/* Runs one statement; the reply is its rows, one a line, columns separated by `|`, and a last line `OK ROWS` or
 * `ERROR what`. */
void engine_run(struct sqlite3 *engine, const char *statement, struct reply *reply);

/* Serves until server_stop; the exit code. */
int server_run(const char *database, const char *address, int port, int threads);
void server_stop(void);

#endif
