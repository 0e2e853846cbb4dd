// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who gets which channel, and which request line with it: by the device tree, or
 * by the slave map where there is none.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/of.h>
#include <linux/of_dma.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasim.h"

/* Puts a channel that is about to be handed out on a line, if it can be. */
static bool take_line(struct dma_chan *dma_chan, unsigned int line)
{
	struct dmasim_chan *chan = to_dmasim_chan(dma_chan);
	unsigned long flags;

	if (chan->sim->config->translation == DMASIM_BY_CHANNEL)
		return chan->id == line;
	spin_lock_irqsave(&chan->lock, flags);
	chan->line = line;
	spin_unlock_irqrestore(&chan->lock, flags);
	return true;
}

static bool filter_by_map(struct dma_chan *chan, void *param)
{
	return take_line(chan, (uintptr_t)param);
}

/* The DMA engine calls this with channels of this node only. */
static bool filter_by_cell(struct dma_chan *chan, void *param)
{
	return take_line(chan, *(const u32 *)param);
}

/* ---- slave map ---- */

/* "DEVICE:NAME" into its two parts, one behind the other in memory that stays. */
static int add_client(struct dma_slave_map *map, const char *client, unsigned int line)
{
	char *copy = kstrdup(client, GFP_KERNEL);
	char *colon;

	if (!copy)
		return -ENOMEM;
	colon = strrchr(copy, ':');
	*colon = '\0';
	map->devname = copy;
	map->slave = colon + 1;
	map->param = (void *)(uintptr_t)line;
	return 0;
}

static int fill_map(struct dmasim *sim, unsigned int *count)
{
	const struct dmasim_peripheral_config *peripheral;
	unsigned int i;
	int err = 0;

	for (i = 0; i < sim->config->peripherals && !err; i++) {
		peripheral = &sim->config->peripheral[i];
		if (*peripheral->tx_client)
			err = add_client(&sim->slave_map[(*count)++], peripheral->tx_client,
					 peripheral->line);
		if (!err && *peripheral->rx_client)
			err = add_client(&sim->slave_map[(*count)++], peripheral->rx_client,
					 peripheral->line);
	}
	return err;
}

static void free_map(struct dmasim *sim)
{
	unsigned int i;

	for (i = 0; sim->slave_map && i < 2 * sim->config->peripherals; i++)
		kfree(sim->slave_map[i].devname);
	kfree(sim->slave_map);
	sim->slave_map = NULL;
}

int dmasim_route_init(struct dmasim *sim)
{
	unsigned int count = 0;
	int err;

	if (!sim->config->peripherals)
		return 0;
	sim->slave_map = kcalloc(sim->config->peripherals, 2 * sizeof(*sim->slave_map),
				 GFP_KERNEL);
	if (!sim->slave_map)
		return -ENOMEM;
	err = fill_map(sim, &count);
	if (err) {
		free_map(sim);
		return err;
	}
	sim->dma.filter.map = sim->slave_map;
	sim->dma.filter.mapcnt = count;
	sim->dma.filter.fn = filter_by_map;
	return 0;
}

/* ---- device tree ---- */

static struct dma_chan *translate_line(struct of_phandle_args *spec, struct of_dma *of_dma)
{
	struct of_dma_filter_info info = { .filter_fn = filter_by_cell };
	struct of_dma simple = { .of_dma_data = &info };

	dma_cap_set(DMA_SLAVE, info.dma_cap);
	return of_dma_simple_xlate(spec, &simple);
}

int dmasim_route_publish(struct dmasim *sim)
{
	struct device_node *node = sim->pdev->dev.of_node;

	if (!node)
		return 0;
	return of_dma_controller_register(node, sim->config->translation == DMASIM_BY_LINE ?
					  translate_line : of_dma_xlate_by_chan_id, &sim->dma);
}

void dmasim_route_exit(struct dmasim *sim)
{
	if (sim->pdev->dev.of_node)
		of_dma_controller_free(sim->pdev->dev.of_node);
	sim->dma.filter.mapcnt = 0;
	free_map(sim);
}

/* Whether an option is a number, of which a property has one cell; others are text. */
static bool is_number(const struct dmasim_option *option)
{
	return option->max || (option->size == sizeof(u32) && !option->words);
}

/* An option's property: its name with "-", and a number or a text. */
static int set_from_property(struct device_node *node, const struct dmasim_option *option,
			     void *config)
{
	char name[48], number[16];
	const char *text;
	u32 value;

	snprintf(name, sizeof(name), "dmafd,%s", option->name);
	strreplace(name, '_', '-');
	if (!of_find_property(node, name, NULL))
		return 0;
	/* Nothing in a property tells which of the two it is. */
	if (is_number(option) && of_property_count_u32_elems(node, name) == 1 &&
	    !of_property_read_u32(node, name, &value)) {
		snprintf(number, sizeof(number), "%u", value);
		return dmasim_option_set(option, config, number);
	}
	if (of_property_read_string(node, name, &text))
		return -EINVAL;
	return dmasim_option_set(option, config, text);
}

static int set_from_node(struct device_node *node, const struct dmasim_option *option,
			 void *config)
{
	int err = 0;

	for (; option->name && !err; option++)
		err = set_from_property(node, option, config);
	return err;
}

static int add_from_node(struct dmasim_config *config, struct device_node *node)
{
	struct dmasim_peripheral_config *peripheral = dmasim_config_add(config);

	if (!peripheral)
		return -ENOSPC;
	snprintf(peripheral->name, sizeof(peripheral->name), "%pOFn", node);
	return set_from_node(node, dmasim_peripheral_options, peripheral);
}

struct dmasim_config *dmasim_config_from_of(struct device *dev)
{
	struct dmasim_config *config = dmasim_config_new();
	struct device_node *child;
	int err;

	if (!config)
		return ERR_PTR(-ENOMEM);
	err = set_from_node(dev->of_node, dmasim_controller_options, config);
	for_each_child_of_node(dev->of_node, child)
		if (!err)
			err = add_from_node(config, child);
	if (!err)
		err = dmasim_config_check(config);
	if (err) {
		dmasim_config_free(config);
		return ERR_PTR(err);
	}
	return config;
}
