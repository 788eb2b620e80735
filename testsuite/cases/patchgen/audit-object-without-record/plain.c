int answer(const char *line) { return line[0] == 'g' ? 7 : line[1]; }
