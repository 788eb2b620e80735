#include "serve.h"

int part(int), limit_of(int);
const char *name_of(int), *second(int);
extern const char _binary_page_txt_start[], _binary_page_txt_end[];

void handle(const char *line) {
    printf("%s %d %d %s ", name_of(1), part((int)strlen(line) + 1), limit_of(0), second(2));
    fwrite(_binary_page_txt_start, 1, (size_t)(_binary_page_txt_end - _binary_page_txt_start), stdout);
}
