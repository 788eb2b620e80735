int stock = 1;
const char *origin(void) { return "the library"; }
