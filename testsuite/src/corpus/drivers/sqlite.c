/* Runs recorded SQL in a database of its own: `work` prints every row. */
#include "serve.h"

#include "sqlite3.h"

static const char *const statements[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL, parent REFERENCES t(id))",
    "CREATE INDEX by_name ON t(name, value DESC)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
    "INSERT INTO t SELECT i, 'name' || (i * 7919 % 101), i * 1.5, CASE WHEN i > 1 THEN i / 2 END FROM n",
    "SELECT count(*), sum(value), min(name), max(name), group_concat(id % 7) FROM t WHERE id < 20",
    "SELECT a.name, count(*) FROM t a JOIN t b ON b.parent = a.id GROUP BY a.name HAVING count(*) > 3 ORDER BY 2 DESC, 1 LIMIT 9",
    "SELECT id, name, row_number() OVER (PARTITION BY name ORDER BY id) FROM t ORDER BY name, id LIMIT 12",
    "UPDATE t SET value = value * 2, name = upper(name) WHERE id % 3 = 0",
    "DELETE FROM t WHERE name LIKE '%7' ESCAPE '!' OR name GLOB 'n*3'",
    "SELECT typeof(1), typeof('a'), 7 / 2, 7 % 2, 1 << 5, 'x' || 1, NULL IS NULL, abs(-3), round(2.567, 2), printf('%05.1f|%s', 3.14159, 'q')",
    "SELECT 'x' LIKE '%' ESCAPE '_', substr('hello', -3, 2), instr('hello', 'll'), replace('aaa', 'a', 'bc'), hex('az'), quote('it''s')",
    "SELECT date('2024-02-29', '+1 year'), strftime('%W %j', '2023-12-31'), julianday('2000-01-01')",
    "SELECT json_extract('{\"a\":[1,2,{\"b\":3}]}', '$.a[2].b'), json_array(1, 'x', NULL)",
    "EXPLAIN QUERY PLAN SELECT * FROM t WHERE name = 'name5' ORDER BY value",
    "SELECT no_such_column FROM t",
    "BEGIN; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; COMMIT",
    "SELECT count(*), total(value) FROM t",
    "PRAGMA integrity_check",
    "VACUUM",
};

static int row(void *unused, int count, char **values, char **names) {
    (void)unused, (void)names;
    for (int at = 0; at < count; at++)
        printf("%s|", values[at] ? values[at] : "NULL");
    putchar('\n');
    return 0;
}

void handle(const char *line) {
    sqlite3 *database;
    (void)line;
    printf("%s %d\n", sqlite3_libversion(), sqlite3_open(":memory:", &database));
    for (size_t at = 0; at < sizeof statements / sizeof *statements; at++) {
        char *message = NULL;
        int result = sqlite3_exec(database, statements[at], row, NULL, &message);
        if (result != SQLITE_OK)
            printf("%d %s\n", result, message ? message : "");
        sqlite3_free(message);
    }
    printf("%d %d\n", sqlite3_total_changes(database), sqlite3_close(database));
}
