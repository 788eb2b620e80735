int spare(int n) { return n + 41; }
