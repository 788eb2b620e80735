#include <stdio.h>

int answer(const char *line) {
    switch (line[0]) {
    case 'g': return line[1] == 'x' ? puts("never") : 11;
    case 'h': return puts(line);
    case 'i': return puts(line + 1) + 4;
    case 'j': return line[5] * 3;
    case 'k': return line[line[1] & 1];
    default: return 0;
    }
}

const char *named(int n) {
    switch (n) {
    case 0: return "nil";
    case 1: return "one";
    case 2: return "two or more";
    case 3: return "three";
    default: return "many";
    }
}
