#define SERVE_OWN_MAIN
#include "serve.h"
#include "shared.h"

static long (*volatile kept)(long);
void keep(long (*event)(long)) { kept = event; }
bool is_kept(long (*event)(long)) { return kept == event && shared(1) == 1; }
