// SPDX-License-Identifier: GPL-2.0-only
/*
 * toy_client - somebody who wants something of toy_dma
 *
 *	# insmod toy_client.ko
 *
 * When it is bound it has a message copied, on a channel for memory, and has it
 * sent to a register, on a channel for a peripheral. The register is a word in
 * memory, so that one can see what comes there: after the transfer it holds the
 * message's last word. Labs 01 to 07 are about clients; this one is here to be
 * watched from the other side.
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

/* Whole words. */
#define LEN		64

/* Transfers take microseconds: one that takes this long does not end. */
#define DMA_TIMEOUT	msecs_to_jiffies(5000)

/* What both sides see, at once. */
struct shared {
	u8 src[LEN];
	u8 dst[LEN];
	u32 reg;
};

struct client {
	struct device *dev;
	struct dma_chan *chan;
	struct shared *shared;
	dma_addr_t dma;
	struct completion done;
	bool failed;
};

static bool make_device;
module_param(make_device, bool, 0444);
MODULE_PARM_DESC(make_device, "make a device if the device tree has none");

static void client_callback(void *data, const struct dmaengine_result *result)
{
	struct client *client = data;

	client->failed = result->result != DMA_TRANS_NOERROR;
	complete(&client->done);
}

/* Submits, issues and waits. Afterwards the channel is at rest. */
static int client_run(struct client *client, struct dma_async_tx_descriptor *tx)
{
	int ret;

	if (!tx)
		return -ENOMEM;
	reinit_completion(&client->done);
	tx->callback_result = client_callback;
	tx->callback_param = client;
	ret = dma_submit_error(dmaengine_submit(tx));
	if (ret)
		return ret;
	dma_async_issue_pending(client->chan);
	if (!wait_for_completion_timeout(&client->done, DMA_TIMEOUT)) {
		dmaengine_terminate_sync(client->chan);
		return -ETIMEDOUT;
	}
	return client->failed ? -EIO : 0;
}

static int client_copy(struct client *client)
{
	dma_addr_t src = client->dma + offsetof(struct shared, src);
	dma_addr_t dst = client->dma + offsetof(struct shared, dst);
	int ret;

	ret = client_run(client, dmaengine_prep_dma_memcpy(client->chan, dst, src, LEN,
							   DMA_PREP_INTERRUPT | DMA_CTRL_ACK));
	if (!ret && memcmp(client->shared->src, client->shared->dst, LEN))
		ret = -EIO;
	return ret;
}

static int client_send(struct client *client)
{
	struct dma_slave_config config = {
		.direction = DMA_MEM_TO_DEV,
		.dst_addr = client->dma + offsetof(struct shared, reg),
		.dst_addr_width = DMA_SLAVE_BUSWIDTH_4_BYTES,
		.dst_maxburst = 1,
	};
	struct scatterlist sg;
	int ret;

	ret = dmaengine_slave_config(client->chan, &config);
	if (ret)
		return ret;
	/* Coherent memory has no page to name, and needs no mapping. */
	sg_init_table(&sg, 1);
	sg_dma_address(&sg) = client->dma + offsetof(struct shared, src);
	sg_dma_len(&sg) = LEN;
	ret = client_run(client, dmaengine_prep_slave_sg(client->chan, &sg, 1, DMA_MEM_TO_DEV,
							 DMA_PREP_INTERRUPT | DMA_CTRL_ACK));
	if (!ret && memcmp(&client->shared->reg, client->shared->src + LEN - 4, 4))
		ret = -EIO;
	return ret;
}

/* The shared memory belongs to the controller of this channel. */
static int client_share(struct client *client)
{
	struct device *dma_dev = client->chan->device->dev;
	int i;

	client->shared = dma_alloc_coherent(dma_dev, sizeof(*client->shared), &client->dma,
					    GFP_KERNEL);
	if (!client->shared)
		return -ENOMEM;
	for (i = 0; i < LEN; i++)
		client->shared->src[i] = 'a' + i % 26;
	return 0;
}

/* Takes a channel by its name, does one thing with it, and gives it back. */
static int client_with(struct device *dev, const char *name, int (*work)(struct client *client))
{
	struct client client = { .dev = dev };
	int ret;

	init_completion(&client.done);
	/* Without the controller this is -EPROBE_DEFER: we are asked again. */
	client.chan = dma_request_chan(dev, name);
	if (IS_ERR(client.chan))
		return dev_err_probe(dev, PTR_ERR(client.chan), "no channel \"%s\"\n", name);
	ret = client_share(&client);
	if (!ret) {
		ret = work(&client);
		dma_free_coherent(client.chan->device->dev, sizeof(*client.shared),
				  client.shared, client.dma);
	}
	dma_release_channel(client.chan);
	if (ret)
		dev_err(dev, "%s: failed: %d\n", name, ret);
	else
		dev_info(dev, "%s: %d bytes arrived\n", name, LEN);
	return ret;
}

static int client_probe(struct platform_device *pdev)
{
	return client_with(&pdev->dev, "copy", client_copy) ?:
	       client_with(&pdev->dev, "tx", client_send);
}

static const struct of_device_id client_of_match[] = {
	{ .compatible = "dmafd,toy-client" },
	{ }
};
MODULE_DEVICE_TABLE(of, client_of_match);

static struct platform_driver client_driver = {
	.probe = client_probe,
	.driver = {
		.name = "toy_client",
		.of_match_table = client_of_match,
	},
};

/* The device that we have made ourselves, if any. */
static struct platform_device *client_made;

static int __init client_make_device(void)
{
	struct device_node *node = of_find_matching_node(NULL, client_of_match);

	of_node_put(node);
	if (node)
		return 0;
	client_made = platform_device_register_simple(client_driver.driver.name,
						      PLATFORM_DEVID_NONE, NULL, 0);
	return PTR_ERR_OR_ZERO(client_made);
}

static int __init client_init(void)
{
	int ret = platform_driver_register(&client_driver);

	if (ret || !make_device)
		return ret;
	ret = client_make_device();
	if (ret)
		platform_driver_unregister(&client_driver);
	return ret;
}
module_init(client_init);

static void __exit client_exit(void)
{
	platform_device_unregister(client_made);
	platform_driver_unregister(&client_driver);
}
module_exit(client_exit);

MODULE_DESCRIPTION("Lab: a client of the toy DMA controller");
MODULE_LICENSE("GPL");
