/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_DEBUGFS_H
#define SCULLPIN_DEBUGFS_H

struct dentry;
struct scullpin_device;

extern struct dentry *scullpin_debugfs_root;

void scullpin_debugfs_init(void);
void scullpin_debugfs_exit(void);
void scullpin_debugfs_add(struct scullpin_device *sdev);
void scullpin_debugfs_remove(struct scullpin_device *sdev);

#endif /* SCULLPIN_DEBUGFS_H */
