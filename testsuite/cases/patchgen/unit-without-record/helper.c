int help(int n) { return n + 1; }
