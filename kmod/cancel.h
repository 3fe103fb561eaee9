/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SCULLPIN_CANCEL_H
#define SCULLPIN_CANCEL_H

struct scullpin_request;

void scullpin_cancel_arm(struct scullpin_request *req);
void scullpin_cancel_disarm(struct scullpin_request *req);

#endif /* SCULLPIN_CANCEL_H */
