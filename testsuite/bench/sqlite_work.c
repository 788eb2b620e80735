/* A CPU-bound workload for SQLite: inserts, an index, joins, aggregates, text functions, dates; all in memory and
 * the same in every run. Prints a checksum, so that builds can be compared by what they compute.
 * usage: sqlite [ROWS] */
#include "sqlite3.h"

#include <stdio.h>
#include <stdlib.h>

static long long checksum;

static int add_row(void *unused, int columns, char **values, char **names)
{
    (void)unused;
    (void)names;
    for (int i = 0; i < columns; i++)
        for (const char *c = values[i] ? values[i] : "null"; *c; c++)
            checksum = (checksum * 31 + *c) % 1000000007;
    return 0;
}

static void run(sqlite3 *db, const char *sql)
{
    char *error = NULL;

    if (sqlite3_exec(db, sql, add_row, NULL, &error) != SQLITE_OK) {
        fprintf(stderr, "sqlite: %s: %s\n", sql, error);
        exit(1);
    }
}

static void fill(sqlite3 *db, int rows)
{
    sqlite3_stmt *insert;
    unsigned seed = 1;

    run(db, "BEGIN");
    sqlite3_prepare_v2(db, "INSERT INTO item VALUES(?1, ?2, printf('name-%05d', ?2), ?3)", -1, &insert, NULL);
    for (int i = 0; i < rows; i++) {
        seed = seed * 1103515245 + 12345;
        sqlite3_bind_int(insert, 1, i);
        sqlite3_bind_int(insert, 2, (int)(seed >> 16) % rows);
        sqlite3_bind_double(insert, 3, seed / 1000.0);
        if (sqlite3_step(insert) != SQLITE_DONE)
            exit(1);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    run(db, "COMMIT");
}

int main(int argc, char **argv)
{
    int rows = argc > 1 ? atoi(argv[1]) : 20000;
    sqlite3 *db;

    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        return 1;
    run(db, "CREATE TABLE item(id INTEGER PRIMARY KEY, bucket INT, name TEXT, price REAL)");
    fill(db, rows);
    run(db, "CREATE INDEX by_bucket ON item(bucket)");
    run(db, "SELECT count(*), sum(price), min(name) FROM item WHERE name LIKE '%7%'");
    run(db, "SELECT bucket % 97, count(*), avg(price), group_concat(name) FROM item GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50");
    run(db, "SELECT count(*) FROM item a JOIN item b ON a.bucket = b.id WHERE b.price > a.price");
    run(db, "SELECT sum(length(replace(upper(name), 'A', 'bc'))), max(substr(name, 3)) FROM item");
    run(db, "SELECT count(DISTINCT date(2451545 + bucket, '+1 month')) FROM item");
    run(db, "UPDATE item SET name = name || '-' || id WHERE bucket % 3 = 0");
    run(db, "DELETE FROM item WHERE id % 7 = 0");
    run(db, "SELECT * FROM item ORDER BY name DESC LIMIT 1000");
    sqlite3_close(db);
    printf("%lld\n", checksum);
    return 0;
}
