// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: the places where a channel meets a device's register. Root tells of them
 * by configfs, or the device tree does; whoever opens one has no say in where its
 * data goes.
 *
 * A port's channel is requested when it is opened and given back with the file.
 * While somebody has it, the DMA engine links the channel and the port's device in
 * sysfs; so a port that goes takes its channel from the holder first.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "dmafd.h"

struct dmafd_port {
	struct kref ref;
	struct dmafd_port_config config;	/* constant */
	struct device *dev;	/* whose channel it is, until it was removed; or NULL */
	struct list_head node;	/* ports_lock, as all below */
	bool gone;
	bool taken;		/* by who opens it, or has it open; read without the lock
				 * by who waits for that to end
				 */
	struct dmafd_chan *chan;	/* that it is open as; NULL while it is being opened */
};

static DEFINE_MUTEX(ports_lock);
static LIST_HEAD(ports);
/* For ports to be given back. */
static DECLARE_WAIT_QUEUE_HEAD(given_back);

static void free_port(struct kref *ref)
{
	kfree(container_of(ref, struct dmafd_port, ref));
}

/* ---- what is known of one ---- */

bool dmafd_port_is_width(u32 width)
{
	return width == DMA_SLAVE_BUSWIDTH_3_BYTES ||
	       (is_power_of_2(width) && width <= DMA_SLAVE_BUSWIDTH_128_BYTES);
}

/* Channels have such names. */
static bool is_channel_name(const char *name)
{
	unsigned int device, channel;
	char rest;

	return sscanf(name, "dma%uchan%u%c", &device, &channel, &rest) == 2;
}

int dmafd_port_check(const struct dmafd_port_config *config)
{
	const char *wrong = NULL;

	if (is_channel_name(config->name))
		wrong = "that is a channel's name";
	else if (!*config->channel)
		wrong = "it has no channel";
	else if (!config->address)
		wrong = "it has no address";
	else if (!dmafd_port_is_width(config->width))
		wrong = "its register cannot be that wide";
	else if (config->address & (rounddown_pow_of_two(config->width) - 1))
		wrong = "its address is not aligned to its width";
	else if (!config->burst)
		wrong = "its bursts are empty";
	if (!wrong)
		return 0;
	pr_warn("port \"%s\": %s\n", config->name, wrong);
	return -EINVAL;
}

static struct dmafd_port *find_port(const char *name)
{
	struct dmafd_port *port;

	lockdep_assert_held(&ports_lock);

	list_for_each_entry(port, &ports, node)
		if (!strcmp(port->config.name, name))
			return port;
	return NULL;
}

/* ---- opening one ---- */

struct dmafd_port *dmafd_port_take(const char *name)
{
	struct dmafd_port *port;

	mutex_lock(&ports_lock);
	port = find_port(name);
	if (port && port->taken) {
		port = ERR_PTR(-EBUSY);
	} else if (port) {
		port->taken = true;
		kref_get(&port->ref);
	}
	mutex_unlock(&ports_lock);
	return port;
}

int dmafd_port_join(struct dmafd_port *port, struct dmafd_chan *chan)
{
	int err = 0;

	mutex_lock(&ports_lock);
	if (port->gone)
		err = -ENODEV;
	else
		port->chan = chan;
	mutex_unlock(&ports_lock);
	return err;
}

void dmafd_port_give_back(struct dmafd_port *port)
{
	mutex_lock(&ports_lock);
	WRITE_ONCE(port->taken, false);
	port->chan = NULL;
	wake_up_all(&given_back);
	mutex_unlock(&ports_lock);
	kref_put(&port->ref, free_port);
}

void dmafd_port_strand(struct dmafd_port *port)
{
	mutex_lock(&ports_lock);
	/* The channel is linked to it, for ever. */
	get_device(port->dev);
	port->gone = true;
	list_del_init(&port->node);
	mutex_unlock(&ports_lock);
}

static struct dma_chan *request(const struct dmafd_port *port)
{
	struct dma_chan *dma;

	if (!port->dev)
		return dmafd_find(port->config.channel, DMAFD_CAP_SLAVE);
	dma = dma_request_chan(port->dev, port->config.channel);
	/* No other error tells more than that there is none now. */
	if (IS_ERR(dma) && PTR_ERR(dma) != -ENOMEM && PTR_ERR(dma) != -EBUSY)
		return ERR_PTR(-ENODEV);
	return dma;
}

/* Whether the controller says that it can do that. */
static const char *find_fault(const struct dmafd_port_config *config, struct dma_chan *dma)
{
	struct dma_slave_caps caps;
	u32 widths;

	if (!dma->device->device_terminate_all)
		return "cannot be stopped";
	if (dma_get_slave_caps(dma, &caps))
		return "serves no devices";
	if (!(caps.directions & BIT(config->rx ? DMA_DEV_TO_MEM : DMA_MEM_TO_DEV)))
		return "does not go that way";
	widths = config->rx ? caps.src_addr_widths : caps.dst_addr_widths;
	/* A bit for each width; where they don't fit, they aren't told. */
	if (config->width < 32 && !(widths & BIT(config->width)))
		return "does not know registers of that width";
	if (caps.max_burst && config->burst > caps.max_burst)
		return "does not make bursts that long";
	return NULL;
}

static int configure(const struct dmafd_port_config *config, struct dma_chan *dma)
{
	struct dma_slave_config slave = {
		.direction = config->rx ? DMA_DEV_TO_MEM : DMA_MEM_TO_DEV,
	};
	const char *fault = find_fault(config, dma);

	if (config->rx) {
		slave.src_addr = config->address;
		slave.src_addr_width = config->width;
		slave.src_maxburst = config->burst;
	} else {
		slave.dst_addr = config->address;
		slave.dst_addr_width = config->width;
		slave.dst_maxburst = config->burst;
	}
	if (!fault && dmaengine_slave_config(dma, &slave))
		fault = "refuses its address, width or burst";
	if (!fault)
		return 0;
	pr_warn_ratelimited("port \"%s\": %s %s\n", config->name, dma_chan_name(dma), fault);
	return -EOPNOTSUPP;
}

struct dma_chan *dmafd_port_request(struct dmafd_port *port)
{
	struct dma_chan *dma = request(port);
	int err;

	if (IS_ERR(dma))
		return dma;
	err = configure(&port->config, dma);
	if (err) {
		dma_release_channel(dma);
		return ERR_PTR(err);
	}
	return dma;
}

const struct dmafd_port_config *dmafd_port_config(const struct dmafd_port *port)
{
	return &port->config;
}

void dmafd_port_for_each(dmafd_port_function function, void *data)
{
	struct dmafd_port *port;

	mutex_lock(&ports_lock);
	list_for_each_entry(port, &ports, node)
		function(&port->config, port->taken, port->chan, data);
	mutex_unlock(&ports_lock);
}

/* ---- coming and going ---- */

struct dmafd_port *dmafd_port_add(struct device *dev, const struct dmafd_port_config *config)
{
	struct dmafd_port *port = kzalloc(sizeof(*port), GFP_KERNEL);
	int err = 0;

	if (!port)
		return ERR_PTR(-ENOMEM);
	kref_init(&port->ref);
	port->config = *config;
	port->dev = dev;
	mutex_lock(&ports_lock);
	if (find_port(config->name))
		err = -EEXIST;
	else
		list_add_tail(&port->node, &ports);
	mutex_unlock(&ports_lock);
	if (err) {
		pr_warn("port \"%s\": there is one of that name\n", config->name);
		kref_put(&port->ref, free_port);
		return ERR_PTR(err);
	}
	return port;
}

/* Nobody takes it any more; who has it, if anybody. */
static struct dmafd_chan *retire(struct dmafd_port *port)
{
	struct dmafd_chan *chan;

	mutex_lock(&ports_lock);
	port->gone = true;
	list_del_init(&port->node);
	chan = port->chan;
	if (chan)
		kref_get(&chan->ref);
	mutex_unlock(&ports_lock);
	return chan;
}

void dmafd_port_remove(struct dmafd_port *port)
{
	struct dmafd_chan *chan = retire(port);

	if (chan) {
		dmafd_chan_kill(chan, -ENODEV);
		dmafd_chan_put(chan);
	}
	/* Who was about to open it gives it back, too. */
	wait_event(given_back, !READ_ONCE(port->taken));
	kref_put(&port->ref, free_port);
}

int dmafd_port_remove_free(struct dmafd_port *port)
{
	mutex_lock(&ports_lock);
	if (port->taken) {
		mutex_unlock(&ports_lock);
		return -EBUSY;
	}
	port->gone = true;
	list_del_init(&port->node);
	mutex_unlock(&ports_lock);
	kref_put(&port->ref, free_port);
	return 0;
}

/* ---- the device tree ---- */

static const char * const ways[] = { "tx", "rx" };

/* A register's address: a property as the controller knows it, or the node's own. */
static int read_address(struct platform_device *pdev, const char *way, u64 *address)
{
	struct device_node *node = pdev->dev.of_node;
	struct resource *resource;
	char name[24];
	u32 small;

	snprintf(name, sizeof(name), "dmafd,%s-address", way);
	if (of_property_count_u32_elems(node, name) == 2)
		return of_property_read_u64(node, name, address);
	if (!of_property_read_u32(node, name, &small)) {
		*address = small;
		return 0;
	}
	resource = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	if (!resource)
		return -EINVAL;
	*address = resource->start;
	return 0;
}

static int read_config(struct platform_device *pdev, const char *way,
		       struct dmafd_port_config *config)
{
	struct device_node *node = pdev->dev.of_node;
	const char *label = NULL;
	int len;

	config->rx = way == ways[1];
	config->width = DMA_SLAVE_BUSWIDTH_4_BYTES;
	config->burst = 1;
	of_property_read_string(node, "label", &label);
	of_property_read_u32(node, "dmafd,width", &config->width);
	of_property_read_u32(node, "dmafd,burst", &config->burst);
	strscpy(config->channel, way, sizeof(config->channel));
	len = label ? snprintf(config->name, sizeof(config->name), "%s:%s", label, way) :
	      snprintf(config->name, sizeof(config->name), "%pOFn:%s", node, way);
	if (len >= sizeof(config->name))
		return -ENAMETOOLONG;
	return read_address(pdev, way, &config->address) ?: dmafd_port_check(config);
}

static void remove_from_node(void *port)
{
	dmafd_port_remove(port);
}

static int add_from_node(struct platform_device *pdev, const char *way)
{
	struct dmafd_port_config config = {};
	struct dmafd_port *port;
	int err;

	err = read_config(pdev, way, &config);
	if (err)
		return dev_err_probe(&pdev->dev, err, "%s: no good\n", way);
	port = dmafd_port_add(&pdev->dev, &config);
	if (IS_ERR(port))
		return PTR_ERR(port);
	return devm_add_action_or_reset(&pdev->dev, remove_from_node, port);
}

static int probe(struct platform_device *pdev)
{
	unsigned int i, count = 0;
	int err;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (of_property_match_string(pdev->dev.of_node, "dma-names", ways[i]) < 0)
			continue;
		err = add_from_node(pdev, ways[i]);
		if (err)
			return err;
		count++;
	}
	return count ? 0 : dev_err_probe(&pdev->dev, -EINVAL, "no DMA channel named tx or rx\n");
}

static const struct of_device_id matches[] = {
	{ .compatible = "dmafd,port" },
	{ }
};
MODULE_DEVICE_TABLE(of, matches);

static struct platform_driver driver = {
	.driver = {
		.name = "dmafd-port",
		.of_match_table = matches,
	},
	.probe = probe,
};

int dmafd_port_init(void)
{
	return platform_driver_register(&driver);
}

void dmafd_port_exit(void)
{
	platform_driver_unregister(&driver);
}
