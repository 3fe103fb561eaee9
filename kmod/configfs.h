/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_CONFIGFS_H
#define SCULLPIN_CONFIGFS_H

int scullpin_configfs_init(void);
void scullpin_configfs_exit(void);

#endif /* SCULLPIN_CONFIGFS_H */
