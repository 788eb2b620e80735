/* From a line of SQL to the lines of the reply. */
#include "sqld.h"

#include "sqlite3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 20000 };

void reply_add(struct reply *reply, const char *text, size_t length)
{
    if (reply->failed)
        return;
    if (reply->length + length > reply->room) {
        size_t room = (reply->length + length) * 2;
        char *larger = realloc(reply->text, room);

        if (!larger) {
            reply->failed = true;
            return;
        }
        reply->text = larger;
        reply->room = room;
    }
    memcpy(reply->text + reply->length, text, length);
    reply->length += length;
}

static void add_text(struct reply *reply, const char *text)
{
    reply_add(reply, text, strlen(text));
}

/* No line break of a value or a message may look like the end of a line. */
static void add_on_one_line(struct reply *reply, const char *text)
{
    for (; *text; text++)
        reply_add(reply, *text == '\n' || *text == '\r' ? " " : text, 1);
}

static void add_row(struct reply *reply, sqlite3_stmt *statement)
{
    int columns = sqlite3_column_count(statement);

    for (int i = 0; i < columns; i++) {
        const unsigned char *value = sqlite3_column_text(statement, i);

        if (i)
            reply_add(reply, "|", 1);
        add_on_one_line(reply, value ? (const char *)value : "NULL");
    }
    reply_add(reply, "\n", 1);
}

struct sqlite3 *engine_open(const char *path)
{
    sqlite3 *engine;

    if (sqlite3_open(path, &engine) != SQLITE_OK || sqlite3_busy_timeout(engine, BUSY_MS) != SQLITE_OK ||
        sqlite3_exec(engine, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF", NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "sqld: cannot open `%s`: %s\n", path, sqlite3_errmsg(engine));
        sqlite3_close(engine);
        return NULL;
    }
    return engine;
}

void engine_close(struct sqlite3 *engine)
{
    sqlite3_close(engine);
}

void engine_run(struct sqlite3 *engine, const char *text, struct reply *reply)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(engine, text, -1, &statement, NULL);
    char end[64];
    long rows = 0;

    if (result == SQLITE_OK && statement) {
        while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
            add_row(reply, statement);
            rows++;
        }
    }
    if (result != SQLITE_OK && result != SQLITE_DONE) {
        add_text(reply, "ERROR ");
        add_on_one_line(reply, sqlite3_errmsg(engine));
        add_text(reply, "\n");
    } else {
        snprintf(end, sizeof end, "OK %ld\n", rows);
        add_text(reply, end);
    }
    sqlite3_finalize(statement);
}
