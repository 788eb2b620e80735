#include "uv.h"

int uv_thread_create(uv_thread_t *thread, void (*entry)(void *), void *argument) {
    return pthread_create(thread, NULL, (void *(*)(void *))entry, argument);
}

void uv_mutex_lock(uv_mutex_t *mutex) { pthread_mutex_lock(mutex); }
void uv_mutex_unlock(uv_mutex_t *mutex) { pthread_mutex_unlock(mutex); }
void uv_cond_wait(uv_cond_t *condition, uv_mutex_t *mutex) { pthread_cond_wait(condition, mutex); }
void uv_cond_signal(uv_cond_t *condition) { pthread_cond_signal(condition); }
