/* libuv's names for threads, as far as they are needed here. */
#ifndef UV_H
#define UV_H

#include <pthread.h>

typedef pthread_t uv_thread_t;
typedef pthread_mutex_t uv_mutex_t;
typedef pthread_cond_t uv_cond_t;

int uv_thread_create(uv_thread_t *thread, void (*entry)(void *), void *argument);
void uv_mutex_lock(uv_mutex_t *mutex);
void uv_mutex_unlock(uv_mutex_t *mutex);
void uv_cond_wait(uv_cond_t *condition, uv_mutex_t *mutex);
void uv_cond_signal(uv_cond_t *condition);

#endif
