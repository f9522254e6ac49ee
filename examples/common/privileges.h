/* SPDX-License-Identifier: MIT */
#ifndef EXAMPLES_PRIVILEGES_H
#define EXAMPLES_PRIVILEGES_H

/*
 * Gives up what a program was started with, for good: the user, where @user is not NULL, his
 * groups, every capability, and the way back by set-user-id programs. No other process of
 * that user reads this one's memory, and it leaves no core. Nobody stays or becomes root: his
 * are the files of a system, with capabilities or without. 0, or -1 and why is on stderr: then
 * it is not known what is left, and the caller ends.
 */
int privileges_drop(const char *user);

#endif /* EXAMPLES_PRIVILEGES_H */
