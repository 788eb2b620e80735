//#ExpectRefused:data-changed operations
//#Send:open
//#Send:use
//#Expect:reading
// Objects that exist lead to the old operations.
#include "serve.h"

struct operations {
    const char *(*use)(void);
};
struct file {
    const struct operations *operations;
};

static const char *reading(void) { return opaque("reading"); }
static const char *writing(void) { return opaque("writing"); }
static const struct operations operations[2] = {{reading}, {writing}}; //#v2: static const struct operations operations[2] = {{writing}, {reading}};
static struct file *file;

void handle(const char *line) {
    if (is(line, "open")) {
        file = malloc(sizeof *file);
        file->operations = &operations[argument(line)];
    } else {
        puts(file->operations->use());
    }
}
