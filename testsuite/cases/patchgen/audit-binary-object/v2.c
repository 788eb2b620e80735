#include "serve.h"

extern const char _binary_page_txt_start[], _binary_page_txt_end[];

void handle(const char *line) {
    (void)line;
    fwrite(_binary_page_txt_start, 1, (size_t)(_binary_page_txt_end - _binary_page_txt_start), stdout);
}
