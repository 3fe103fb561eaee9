/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_COMMAND_H
#define SCULLPIN_COMMAND_H

struct io_uring_cmd;

int scullpin_command(struct io_uring_cmd *ioucmd, unsigned int issue_flags);

#endif /* SCULLPIN_COMMAND_H */
