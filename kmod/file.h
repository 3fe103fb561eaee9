/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_FILE_H
#define SCULLPIN_FILE_H

struct file;
struct file_operations;

extern const struct file_operations scullpin_file_ops;

/* ioctl.c */
int scullpin_ioctl_discard(struct file *file, u64 offset, u64 length);
long scullpin_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* SCULLPIN_FILE_H */
