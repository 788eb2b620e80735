/* The protocol: one line in, one line out.
 *   set KEY TTL_MS VALUE    STORED                      (TTL_MS 0: for ever)
 *   get KEY                 VALUE ... | MISSING
 *   del KEY                 DELETED | MISSING
 *   incr KEY N              VALUE ... | MISSING
 *   stats                   STATS name=number ...
 *   quit                    (closes the connection)
 * Anything else is answered with ERROR and why. */
#include "kvd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the next word off the front of the line; NULL when nothing is left. */
static char *next_word(char **line)
{
    char *word = *line + strspn(*line, " ");
    char *end = word + strcspn(word, " ");

    if (word == end)
        return NULL;
    *line = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool parse_number(const char *word, long long *number)
{
    char *end;

    if (!word)
        return false;
    errno = 0;
    *number = strtoll(word, &end, 10);
    return end != word && *end == '\0' && errno == 0;
}

static void say_result(enum store_result result, const char *done, char *reply, size_t room)
{
    switch (result) {
    case STORE_OK:
        snprintf(reply, room, "%s", done);
        break;
    case STORE_MISSING:
        snprintf(reply, room, "MISSING");
        break;
    case STORE_NOT_A_NUMBER:
        snprintf(reply, room, "ERROR value is not a number");
        break;
    case STORE_NO_MEMORY:
        snprintf(reply, room, "ERROR out of memory");
        break;
    }
}

static enum command_result cmd_set(const char *key, char *rest, char *reply, size_t room)
{
    long long ttl_ms;
    size_t length;

    if (!parse_number(next_word(&rest), &ttl_ms) || ttl_ms < 0) {
        snprintf(reply, room, "ERROR set wants KEY TTL_MS VALUE");
        return COMMAND_REPLY;
    }
    length = strlen(rest);
    if (length > VALUE_MAX)
        snprintf(reply, room, "ERROR value longer than %d bytes", VALUE_MAX);
    else
        say_result(store_set(key, rest, length, (long)ttl_ms), "STORED", reply, room);
    return COMMAND_REPLY;
}

static enum command_result cmd_get(const char *key, char *rest, char *reply, size_t room)
{
    char value[VALUE_MAX + 1];
    size_t length;
    enum store_result result = store_get(key, value, &length);

    (void)rest;
    if (result == STORE_OK)
        snprintf(reply, room, "VALUE %s", value);
    else
        say_result(result, "", reply, room);
    return COMMAND_REPLY;
}

static enum command_result cmd_del(const char *key, char *rest, char *reply, size_t room)
{
    (void)rest;
    say_result(store_delete(key), "DELETED", reply, room);
    return COMMAND_REPLY;
}

static enum command_result cmd_incr(const char *key, char *rest, char *reply, size_t room)
{
    long long delta, number;
    enum store_result result;

    if (!parse_number(next_word(&rest), &delta)) {
        snprintf(reply, room, "ERROR incr wants KEY NUMBER");
        return COMMAND_REPLY;
    }
    result = store_add(key, delta, &number);
    if (result == STORE_OK)
        snprintf(reply, room, "VALUE %lld", number);
    else
        say_result(result, "", reply, room);
    return COMMAND_REPLY;
}

static enum command_result cmd_stats(const char *key, char *rest, char *reply, size_t room)
{
    struct store_totals totals;
    struct server_counts counts;

    (void)key;
    (void)rest;
    store_totals(&totals);
    server_counts(&counts);
    snprintf(reply, room, "STATS items=%lu bytes=%lu hits=%lu misses=%lu requests=%lu connections=%lu", totals.items,
             totals.bytes, totals.hits, totals.misses, counts.requests, counts.connections);
    return COMMAND_REPLY;
}

static enum command_result cmd_quit(const char *key, char *rest, char *reply, size_t room)
{
    (void)key;
    (void)rest;
    (void)reply;
    (void)room;
    return COMMAND_QUIT;
}

static const struct command {
    const char *name;
    bool needs_key;
    enum command_result (*run)(const char *key, char *rest, char *reply, size_t room);
} commands[] = {
    {"get", true, cmd_get}, {"set", true, cmd_set},      {"del", true, cmd_del},
    {"incr", true, cmd_incr}, {"stats", false, cmd_stats}, {"quit", false, cmd_quit},
};

enum command_result command_run(char *line, char *reply, size_t room)
{
    const char *name = next_word(&line);
    const char *key = NULL;

    for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (commands[i].needs_key && (!(key = next_word(&line)) || strlen(key) > KEY_MAX)) {
            snprintf(reply, room, "ERROR %s wants a key of at most %d bytes", name, KEY_MAX);
            return COMMAND_REPLY;
        }
        return commands[i].run(key, line, reply, room);
    }
    snprintf(reply, room, "ERROR no such command");
    return COMMAND_REPLY;
}
