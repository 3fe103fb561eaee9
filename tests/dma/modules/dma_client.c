// SPDX-License-Identifier: MIT
/*
 * A client of dmaengine that asks for what dmatest does not: a pause in the middle of a copy, and a descriptor that is prepared before the channel is
 * terminated and submitted afterwards. Loading it is the test: it stays out with -EBADE when the provider answers wrongly, and says what was wrong.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#define CLIENT_LENGTH 4096
/* Longer than the slowest device takes for one of its moves. */
#define CLIENT_PAUSE_MS 500
#define CLIENT_PATIENCE (20 * HZ)

struct client {
	struct dma_chan *chan;
	u8 *from, *to;
	dma_addr_t from_address, to_address;
	struct completion done;
};

static void client_done(void *done)
{
	complete(done);
}

static struct dma_async_tx_descriptor *client_prepare(struct client *client)
{
	struct dma_async_tx_descriptor *tx;

	get_random_bytes(client->from, CLIENT_LENGTH);
	memset(client->to, 0, CLIENT_LENGTH);
	dma_sync_single_for_device(client->chan->device->dev, client->from_address, CLIENT_LENGTH, DMA_TO_DEVICE);
	dma_sync_single_for_device(client->chan->device->dev, client->to_address, CLIENT_LENGTH, DMA_FROM_DEVICE);
	tx = dmaengine_prep_dma_memcpy(client->chan, client->to_address, client->from_address, CLIENT_LENGTH, DMA_PREP_INTERRUPT);
	if (tx) {
		reinit_completion(&client->done);
		tx->callback = client_done;
		tx->callback_param = &client->done;
	}
	return tx;
}

/* Has everything arrived, and the client been told? */
static bool client_has_it(struct client *client)
{
	if (!wait_for_completion_timeout(&client->done, CLIENT_PATIENCE)) {
		pr_err("the copy does not end\n");
		return false;
	}
	dma_sync_single_for_cpu(client->chan->device->dev, client->to_address, CLIENT_LENGTH, DMA_FROM_DEVICE);
	if (memcmp(client->from, client->to, CLIENT_LENGTH)) {
		pr_err("the copy is not what was copied\n");
		return false;
	}
	return true;
}

static bool client_pauses(struct client *client)
{
	struct dma_async_tx_descriptor *tx = client_prepare(client);
	struct dma_tx_state state = {};
	enum dma_status status;
	dma_cookie_t cookie;

	if (!tx)
		return false;
	cookie = dmaengine_submit(tx);
	dma_async_issue_pending(client->chan);
	if (dmaengine_pause(client->chan))
		return false;
	msleep(CLIENT_PAUSE_MS);
	status = dmaengine_tx_status(client->chan, cookie, &state);
	if (completion_done(&client->done) || status != DMA_PAUSED || !state.residue) {
		pr_err("paused, it goes on: status %d, residue %u\n", status, state.residue);
		return false;
	}
	if (dmaengine_resume(client->chan) || !client_has_it(client))
		return false;
	if (dmaengine_tx_status(client->chan, cookie, &state) != DMA_COMPLETE || state.residue) {
		pr_err("ended, it has not: residue %u\n", state.residue);
		return false;
	}
	return true;
}

static bool client_keeps_what_it_prepared(struct client *client)
{
	struct dma_async_tx_descriptor *tx = client_prepare(client);

	if (!tx || dmaengine_terminate_sync(client->chan))
		return false;
	dmaengine_submit(tx);
	dma_async_issue_pending(client->chan);
	return client_has_it(client);
}

static int client_try(struct client *client)
{
	struct device *dev = client->chan->device->dev;
	int ret = -ENOMEM;

	client->from_address = dma_map_single(dev, client->from, CLIENT_LENGTH, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, client->from_address))
		return ret;
	client->to_address = dma_map_single(dev, client->to, CLIENT_LENGTH, DMA_FROM_DEVICE);
	if (!dma_mapping_error(dev, client->to_address)) {
		ret = client_pauses(client) && client_keeps_what_it_prepared(client) ? 0 : -EBADE;
		/* Whatever went wrong, nothing reaches the memory any more. */
		dmaengine_terminate_sync(client->chan);
		dma_unmap_single(dev, client->to_address, CLIENT_LENGTH, DMA_FROM_DEVICE);
	}
	dma_unmap_single(dev, client->from_address, CLIENT_LENGTH, DMA_TO_DEVICE);
	return ret;
}

static int __init client_init(void)
{
	struct client client = {};
	dma_cap_mask_t mask;
	int ret = -ENOMEM;

	init_completion(&client.done);
	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	client.chan = dma_request_channel(mask, NULL, NULL);
	if (!client.chan)
		return -ENODEV;
	client.from = kmalloc(CLIENT_LENGTH, GFP_KERNEL);
	client.to = kmalloc(CLIENT_LENGTH, GFP_KERNEL);
	if (client.from && client.to)
		ret = client_try(&client);
	kfree(client.to);
	kfree(client.from);
	dma_release_channel(client.chan);
	return ret;
}

static void __exit client_exit(void)
{
}

module_init(client_init);
module_exit(client_exit);

MODULE_DESCRIPTION("Test of a DMA provider: pause, resume and terminate");
MODULE_LICENSE("Dual MIT/GPL");
