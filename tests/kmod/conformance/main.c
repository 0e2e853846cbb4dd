// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests any dmaengine provider through the interface that its clients use.
 *
 *	insmod conformance.ko
 *	echo 'chan=dma0chan3' > /sys/kernel/debug/conformance/run
 *	cat /sys/kernel/debug/conformance/results
 *
 * What a provider does not advertise is skipped; what it advertises has to
 * work. tests/kmod/conformance.sh does all this for a controller.
 */
#include <linux/init.h>
#include <linux/kstrtox.h>

#include "conf.h"

static struct kt kt;
static struct conf conf;

struct param {
	const char *name;
	size_t offset;
	bool text;
};

#define TEXT(name) { #name, offsetof(struct conf_params, name), true }
#define NUMBER(name) { #name, offsetof(struct conf_params, name), false }

static const struct param params[] = {
	TEXT(provider), TEXT(chan), TEXT(chan2), TEXT(slave_dev), TEXT(tx), TEXT(rx),
	NUMBER(tx_addr), NUMBER(rx_addr), NUMBER(width), NUMBER(fifo_memory), NUMBER(align),
	NUMBER(big), NUMBER(many), NUMBER(timeout_ms), NUMBER(quiet_ms), NUMBER(no_cyclic),
	NUMBER(no_atomic_prep), NUMBER(inherits_callback), NUMBER(strict),
};

static int get_param(struct kt *t, const struct param *param, struct conf_params *p)
{
	void *field = (void *)p + param->offset;
	char text[24];
	int len;

	if (param->text) {
		len = kt_arg(t, param->name, field, CONF_NAME);
		return len == -ENOENT ? 0 : min(len, 0);
	}
	len = kt_arg(t, param->name, text, sizeof(text));
	if (len == -ENOENT)
		return 0;
	return len < 0 ? len : kstrtou64(text, 0, field);
}

static bool known(const char *word, size_t len)
{
	size_t i;

	if (len > 5 && !strncmp(word, "only=", 5))
		return true;
	for (i = 0; i < ARRAY_SIZE(params); i++)
		if (strlen(params[i].name) < len && word[strlen(params[i].name)] == '=' &&
		    !strncmp(word, params[i].name, strlen(params[i].name)))
			return true;
	return false;
}

/* A mistyped argument would leave something untested. */
static int check_words(const char *args)
{
	const char *word = skip_spaces(args);
	size_t len;

	for (; *word; word = skip_spaces(word + len)) {
		len = strcspn(word, " \t\n");
		if (known(word, len))
			continue;
		pr_warn("conformance: unknown argument \"%.*s\"\n", (int)len, word);
		return -EINVAL;
	}
	return 0;
}

static int get_params(struct kt *t, struct conf_params *p)
{
	unsigned int i;
	int err;

	*p = (struct conf_params){
		.align = 1, .big = SZ_1M, .many = 10000, .timeout_ms = 5000, .quiet_ms = 20,
	};
	err = check_words(t->args);
	for (i = 0; !err && i < ARRAY_SIZE(params); i++)
		err = get_param(t, &params[i], p);
	if (err)
		return err;
	if (!is_power_of_2(p->align) || p->align > SZ_4K || p->big < SZ_4K ||
	    p->big > SZ_4M || p->many < 1 || p->many > 1000000 || !p->timeout_ms ||
	    p->timeout_ms > 600000 || p->quiet_ms > 10000)
		return -ERANGE;
	return 0;
}

static int start(struct kt *t)
{
	struct conf *c = &conf;
	int err;

	if (c->wedged)
		return -EIO;
	memset(c, 0, sizeof(*c));
	t->data = c;
	c->t = t;
	mutex_init(&c->lock);
	INIT_LIST_HEAD(&c->bufs);
	INIT_LIST_HEAD(&c->tables);
	INIT_LIST_HEAD(&c->jobs);
	INIT_LIST_HEAD(&c->memory);
	err = get_params(t, &c->p);
	if (!err)
		err = conf_request(c);
	if (err)
		return err;
	c->align = max_t(size_t, c->p.align, 1 << c->chan->device->copy_align);
	c->max_len = min_t(size_t, c->p.big, dma_get_max_seg_size(conf_dev(c->chan)));
	c->max_len = round_down(c->max_len, c->align);
	c->piece = min_t(size_t, c->max_len, SZ_4K);
	c->small = conf_round(c, c->piece / 4);
	kt_note(t, "%s of %s, second %s", dma_chan_name(c->chan), dev_name(c->chan->device->dev),
		c->chan2 ? dma_chan_name(c->chan2) : "none");
	return 0;
}

static void finish(struct kt *t)
{
	conf_release(&conf);
}

static int before(struct kt *t)
{
	struct conf *c = to_conf(t);

	atomic_set(&c->callbacks, 0);
	if (c->wedged)
		return -EIO;
	return c->chan ? 0 : -ENODEV;
}

static void after(struct kt *t)
{
	struct conf *c = to_conf(t);

	if (!c->wedged && c->chan)
		conf_terminate(c, c->chan);
	if (!c->wedged && c->chan2)
		conf_terminate(c, c->chan2);
	if (!c->wedged && c->tx && c->tx != c->chan)
		conf_terminate(c, c->tx);
	if (!c->wedged && c->rx && c->rx != c->chan && c->rx != c->tx)
		conf_terminate(c, c->rx);
	conf_give_back(c);
}

/* In the order in which they run. */
static const struct kt_case * const areas[] = {
	conf_caps_cases,
	conf_first_cases,
	conf_memcpy_cases,
	conf_fill_cases,
	conf_xor_cases,
	conf_interrupt_cases,
	conf_interleave_cases,
	conf_order_cases,
	conf_callback_cases,
	conf_status_cases,
	conf_terminate_cases,
	conf_load_cases,
	conf_slave_cases,
	conf_cyclic_cases,
	conf_last_cases,
};

/* Its cases are set once, when the module is loaded. */
static struct kt_suite suite = {
	.name = KBUILD_MODNAME,
	.start = start,
	.finish = finish,
	.before = before,
	.after = after,
};

/* All areas' cases in one table. */
static struct kt_case * __init join_areas(unsigned int *count)
{
	const struct kt_case *one;
	struct kt_case *cases;
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(areas); i++)
		for (one = areas[i]; one->name; one++)
			n++;
	cases = kcalloc(n, sizeof(*cases), GFP_KERNEL);
	if (!cases)
		return NULL;
	*count = n;
	for (i = 0, n = 0; i < ARRAY_SIZE(areas); i++)
		for (one = areas[i]; one->name; one++)
			cases[n++] = *one;
	return cases;
}

static int __init conformance_init(void)
{
	int err;

	suite.cases = join_areas(&suite.count);
	if (!suite.cases)
		return -ENOMEM;
	err = kt_register(&kt, &suite);
	if (err)
		kfree(suite.cases);
	return err;
}
module_init(conformance_init);

static void __exit conformance_exit(void)
{
	kt_unregister(&kt);
	kfree(suite.cases);
}
module_exit(conformance_exit);

MODULE_DESCRIPTION("Tests a dmaengine provider");
MODULE_LICENSE("GPL");
