/* A program that notices when one of its threads is stopped, interrupted or made to wait. */
#ifndef UNSTOPPED_H
#define UNSTOPPED_H

/* versions.c: what updates replace. */
int answer(int number);

#endif
