/* What quiescence points refer to, for programs that are linked without the runtime: the two generations never
 * differ, so a point does nothing. */
unsigned __dsu_generation = 0;
__thread unsigned __dsu_thread_generation = 0;

void __dsu_quiesce(void) {}

void __dsu_quiescence_point(void) {}
