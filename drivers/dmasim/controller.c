// SPDX-License-Identifier: GPL-2.0-only
/*
 * One live controller: a platform device that is bound to our driver, registered
 * with the DMA engine for as long as it lives.
 *
 * A controller never leaves the DMA engine while a client holds one of its
 * channels: it takes no new clients and no new work, and goes with the last client.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/slab.h>

#include "dmasim.h"
#include "trace.h"

/*
 * A controller from the point of view of who made it: configfs, or the module.
 * It owns all that is not the platform device's own.
 */
struct dmasim_instance {
	struct dmasim_config *config;
	struct dmasim_faults faults;
	struct platform_device *pdev;
	struct work_struct end;
	int probed;		/* what the probe came to */
};

/* What a platform device of ours carries; one from the device tree has none. */
struct platform_data {
	struct dmasim_instance *instance;
};

static struct workqueue_struct *ends;

/* ---- clients coming and going ---- */

int dmasim_hold(struct dmasim *sim)
{
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&sim->lock, flags);
	/* Not -ENODEV: the DMA engine would take the controller off its list. */
	if (sim->dying)
		err = -ESHUTDOWN;
	else
		sim->held++;
	spin_unlock_irqrestore(&sim->lock, flags);
	return err;
}

void dmasim_release(struct dmasim *sim)
{
	struct platform_data *data = dev_get_platdata(&sim->pdev->dev);
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&sim->lock, flags);
	last = !--sim->held && sim->dying;
	spin_unlock_irqrestore(&sim->lock, flags);
	if (last && data)
		queue_work(ends, &data->instance->end);
}

void *dmasim_refuse(struct dmasim_chan *chan, enum dmasim_refusal why)
{
	unsigned long flags;

	atomic64_inc(&chan->sim->refusals[why]);
	spin_lock_irqsave(&chan->lock, flags);
	chan->stats.refused++;
	spin_unlock_irqrestore(&chan->lock, flags);
	dev_dbg(&chan->sim->pdev->dev, "channel %u: refused: %s\n", chan->id,
		dmasim_refusal_names[why]);
	return NULL;
}

void dmasim_record_fault(struct dmasim_chan *chan, u64 addr, bool write,
			 enum dmasim_reach reach)
{
	struct dmasim *sim = chan->sim;
	struct dmasim_fault_record *record;
	unsigned long flags;

	spin_lock_irqsave(&sim->lock, flags);
	record = &sim->record[sim->records++ % DMASIM_RECORDS];
	record->time_ns = ktime_get_ns();
	record->addr = addr;
	record->chan = chan->id;
	record->write = write;
	record->reach = reach;
	spin_unlock_irqrestore(&sim->lock, flags);
	trace_dmasim_fault(chan, addr, write, reach);
	dev_err_ratelimited(&sim->pdev->dev, "channel %u: %s of address %#llx: %s\n", chan->id,
			    write ? "write" : "read", addr, dmasim_reach_names[reach]);
}

/* ---- registration ---- */

static void describe(struct dmasim *sim)
{
	const struct dmasim_config *config = sim->config;
	struct dma_device *dma = &sim->dma;

	dma->dev = &sim->pdev->dev;
	INIT_LIST_HEAD(&dma->channels);
	dmasim_vchan_ops(dma);
	dmasim_prep_ops(dma, config);
	dma->device_config = dmasim_device_config;
	if (!config->pause) {
		dma->device_pause = NULL;
		dma->device_resume = NULL;
	}
	if (config->private)
		dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->copy_align = ilog2(config->align);
	dma->fill_align = ilog2(config->align);
	dma->xor_align = ilog2(config->align);
	dma->max_xor = config->max_xor;
	dma->src_addr_widths = config->widths;
	dma->dst_addr_widths = config->widths;
	dma->directions = config->directions;
	dma->min_burst = 1;
	dma->max_burst = config->max_burst;
	dma->max_sg_burst = config->max_sg;
	dma->descriptor_reuse = config->reuse;
	dma->residue_granularity = config->residue;
}

static int make_channels(struct dmasim *sim)
{
	unsigned int i;

	sim->chan = kvcalloc(sim->config->channels, sizeof(*sim->chan), GFP_KERNEL);
	if (!sim->chan)
		return -ENOMEM;
	for (i = 0; i < sim->config->channels; i++)
		dmasim_chan_init(sim, &sim->chan[i], i);
	sim->channels = sim->config->channels;
	return 0;
}

/* All that the controller consists of before anybody knows of it. */
static int build(struct dmasim *sim)
{
	int err;

	err = dmasim_memory_init(sim);
	if (err)
		return err;
	describe(sim);
	err = dmasim_peripherals_init(sim);
	if (err)
		goto undo_memory;
	err = make_channels(sim);
	if (err)
		goto undo_peripherals;
	err = dmasim_engine_start(sim);
	if (err)
		goto undo_channels;
	return 0;

undo_channels:
	kvfree(sim->chan);
undo_peripherals:
	dmasim_peripherals_exit(sim);
undo_memory:
	dmasim_memory_exit(sim);
	return err;
}

static void take_apart(struct dmasim *sim)
{
	dmasim_engine_stop(sim);
	kvfree(sim->chan);
	dmasim_peripherals_exit(sim);
	dmasim_memory_exit(sim);
}

/*
 * While it unregisters, the DMA engine frees the channels' devices and still shows
 * the channels to whoever asks for one; a client may look at its name, at least.
 */
static void unregister(struct dmasim *sim)
{
	unsigned int i;

	for (i = 0; i < sim->channels; i++)
		get_device(&sim->chan[i].chan.dev->device);
	dma_async_device_unregister(&sim->dma);
	for (i = 0; i < sim->channels; i++)
		put_device(&sim->chan[i].chan.dev->device);
}

static int publish(struct dmasim *sim)
{
	int err;

	err = dmasim_route_init(sim);
	if (err)
		return err;
	err = dma_async_device_register(&sim->dma);
	if (err)
		goto undo_route;
	err = dmasim_route_publish(sim);
	if (err)
		goto undo_register;
	dmasim_debugfs_add(sim);
	return 0;

undo_register:
	unregister(sim);
undo_route:
	dmasim_route_exit(sim);
	return err;
}

static struct dmasim *new_sim(struct platform_device *pdev)
{
	struct platform_data *data = dev_get_platdata(&pdev->dev);
	struct dmasim *sim = kvzalloc(sizeof(*sim), GFP_KERNEL);

	if (!sim)
		return ERR_PTR(-ENOMEM);
	sim->pdev = pdev;
	spin_lock_init(&sim->lock);
	dmasim_faults_init(&sim->own_faults);
	if (data) {
		sim->config = data->instance->config;
		sim->faults = &data->instance->faults;
		return sim;
	}
	sim->own_config = dmasim_config_from_of(&pdev->dev);
	if (IS_ERR(sim->own_config)) {
		int err = PTR_ERR(sim->own_config);

		kvfree(sim);
		return ERR_PTR(err);
	}
	sim->config = sim->own_config;
	sim->faults = &sim->own_faults;
	return sim;
}

static void free_sim(struct dmasim *sim)
{
	dmasim_faults_clear(&sim->own_faults);
	dmasim_config_free(sim->own_config);
	kvfree(sim);
}

/* No client is left here: see the top of this file. */
static void unpublish(void *data)
{
	struct dmasim *sim = data;

	dmasim_debugfs_remove(sim);
	dmasim_route_exit(sim);
	unregister(sim);
	take_apart(sim);
	/* The DMA engine looks through its controllers under RCU. */
	synchronize_rcu();
	free_sim(sim);
}

static int try_probe(struct platform_device *pdev)
{
	struct dmasim *sim = new_sim(pdev);
	int err;

	if (IS_ERR(sim))
		return PTR_ERR(sim);
	platform_set_drvdata(pdev, sim);
	err = build(sim);
	if (err)
		goto undo_sim;
	err = publish(sim);
	if (err)
		goto undo_build;
	dev_info(&pdev->dev, "dma%d: %u channels on %u, %s\n", sim->dma.dev_id, sim->channels,
		 sim->physicals, sim->space ? "a view of its own" : "flat memory");
	return devm_add_action_or_reset(&pdev->dev, unpublish, sim);

undo_build:
	take_apart(sim);
undo_sim:
	platform_set_drvdata(pdev, NULL);
	free_sim(sim);
	return err;
}

static int probe(struct platform_device *pdev)
{
	struct platform_data *data = dev_get_platdata(&pdev->dev);
	int err = try_probe(pdev);

	if (data)
		data->instance->probed = err;
	return err;
}

static const struct of_device_id of_matches[] = {
	{ .compatible = "dmafd,dmasim" },
	{ }
};
MODULE_DEVICE_TABLE(of, of_matches);

static struct platform_driver driver = {
	.driver = {
		.name = DMASIM_NAME,
		.of_match_table = of_matches,
		/* Unbinding could not wait for clients, so there is none by hand. */
		.suppress_bind_attrs = true,
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
	.probe = probe,
};

/* ---- instances ---- */

static void free_instance(struct dmasim_instance *instance)
{
	dmasim_faults_clear(&instance->faults);
	dmasim_config_free(instance->config);
	kfree(instance);
}

static void end_instance(struct work_struct *work)
{
	struct dmasim_instance *instance = container_of(work, struct dmasim_instance, end);

	platform_device_unregister(instance->pdev);
	free_instance(instance);
}

struct dmasim_instance *dmasim_instance_new(struct dmasim_config *config)
{
	struct dmasim_instance *instance;
	struct platform_data data;
	struct platform_device_info info = {
		.name = DMASIM_NAME,
		.id = PLATFORM_DEVID_AUTO,
		.data = &data,
		.size_data = sizeof(data),
	};
	int err;

	err = dmasim_config_check(config);
	if (err)
		return ERR_PTR(err);
	instance = kzalloc(sizeof(*instance), GFP_KERNEL);
	if (!instance)
		return ERR_PTR(-ENOMEM);
	dmasim_faults_init(&instance->faults);
	INIT_WORK(&instance->end, end_instance);
	instance->config = config;
	instance->probed = -ENXIO;
	data.instance = instance;
	instance->pdev = platform_device_register_full(&info);
	err = PTR_ERR_OR_ZERO(instance->pdev);
	if (!err && instance->probed) {
		err = instance->probed;
		platform_device_unregister(instance->pdev);
	}
	if (err) {
		kfree(instance);
		return ERR_PTR(err);
	}
	return instance;
}

/* From here on there are no new clients; whether there are old ones. */
static bool begin_dying(struct dmasim *sim, bool only_if_free)
{
	unsigned long flags;
	bool held;

	spin_lock_irqsave(&sim->lock, flags);
	held = sim->held;
	if (!held || !only_if_free)
		WRITE_ONCE(sim->dying, true);
	spin_unlock_irqrestore(&sim->lock, flags);
	return held;
}

int dmasim_instance_end(struct dmasim_instance *instance)
{
	if (begin_dying(platform_get_drvdata(instance->pdev), true))
		return -EBUSY;
	end_instance(&instance->end);
	return 0;
}

void dmasim_instance_abandon(struct dmasim_instance *instance)
{
	struct dmasim *sim = platform_get_drvdata(instance->pdev);
	unsigned int i;

	if (!dmasim_instance_end(instance))
		return;
	/* Nobody but us ends it while this work counts as a client. */
	spin_lock_irq(&sim->lock);
	WRITE_ONCE(sim->dying, true);
	sim->held++;
	spin_unlock_irq(&sim->lock);
	for (i = 0; i < sim->channels; i++)
		dmasim_chan_abandon(&sim->chan[i]);
	dmasim_release(sim);
}

const char *dmasim_instance_device(struct dmasim_instance *instance)
{
	return dev_name(&instance->pdev->dev);
}

int dmasim_instance_dma_id(struct dmasim_instance *instance)
{
	struct dmasim *sim = platform_get_drvdata(instance->pdev);

	return sim->dma.dev_id;
}

struct dmasim_faults *dmasim_instance_faults(struct dmasim_instance *instance)
{
	return &instance->faults;
}

int dmasim_controller_init(void)
{
	int err;

	ends = alloc_workqueue("dmasim", WQ_UNBOUND, 0);
	if (!ends)
		return -ENOMEM;
	err = platform_driver_register(&driver);
	if (err)
		destroy_workqueue(ends);
	return err;
}

void dmasim_controller_exit(void)
{
	/* First those that have just lost their last client. */
	destroy_workqueue(ends);
	platform_driver_unregister(&driver);
}
