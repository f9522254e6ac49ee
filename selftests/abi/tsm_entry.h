/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of an entry of configfs-tsm, and lines that say what came of a call, in
 * which nothing differs between two runs.
 */
#ifndef TSM_ENTRY_H
#define TSM_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

/* more than any file of an entry has here */
#define BLOB	(256 * 1024)

/* one line */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* an errno's name; 0: "done" */
const char *outcome(int err);

/* entries are open as directories; or a negative errno */
int make(const char *name);
/* 0 or an errno */
int drop(const char *name);

/* one write and the close that hands it over; either's errno */
int put(int dir, const char *name, const void *data, size_t len);
/* all of it, by pieces of @piece bytes, to where there are BLOB; the length, or -errno */
long get(int dir, const char *name, void *data, size_t piece);
void say_text(int dir, const char *name);

/* which files an entry has, and how they look */
void list(const char *name);

/* 64 bytes to ask with; and are they where they are in a report or quote? */
void fill(unsigned char data[64], int seed);
bool carries(const unsigned char *blob, long len, const unsigned char data[64]);

/* KEY=VALUE, to the simulated platform */
void tell(const char *line);

#endif /* TSM_ENTRY_H */
