/* What instrumented code refers to, for programs that are linked without the runtime: the two generations never
 * differ, so a point does nothing, and neither does an idle region. */
unsigned __dsu_generation = 0;
__thread unsigned __dsu_thread_generation = 0;

void __dsu_quiesce(void) {}

void __dsu_quiescence_point(void) {}

void __dsu_idle_begin(void) {}

void __dsu_idle_end(void) {}

void __dsu_loop_begin(void) {}

void __dsu_loop_end(void) {}

void dsu_register_stack(void *low, unsigned long size) {
    (void)low;
    (void)size;
}

void dsu_unregister_stack(void *low) { (void)low; }
