// SPDX-License-Identifier: GPL-2.0-only
/* Why a request did not get all that it asked for: an errno does not tell. */
#include <linux/compiler.h>

#include "device.h"
#include "refuse.h"
#include "stats.h"
#include "trace.h"

static const char * const refuse_names[] = {
#define X(_name) #_name,
	SCULLPIN_REFUSALS(X)
#undef X
};

/**
 * scullpin_refuse - count and trace why a request is refused or cut
 * @sdev: the device
 * @id: of the request; 0 when it has none
 * @why: the reason
 * @detail: what it says depends on the reason
 *
 * Context: any.
 */
void __cold scullpin_refuse(struct scullpin_device *sdev, u64 id, enum scullpin_refusal why,
			    u64 detail)
{
	this_cpu_inc(sdev->stats.counters->value[SCULLPIN_COUNT_REFUSED + why]);
	trace_scullpin_refuse(sdev, id, refuse_names[why], detail);
}
