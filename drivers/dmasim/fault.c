// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors on purpose, so that the error paths of a client can be tested: by rules
 * that a user writes, and by the kernel's fault attributes where it has them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmasim.h"

/*
 * The transactions that start on a channel are counted from when the rule was
 * written; it hits the @nth and, up to @count in all, those after it.
 */
struct rule {
	struct list_head node;
	enum dmasim_fault_kind kind;
	unsigned int chan;	/* UINT_MAX: any */
	u64 nth, count;
	u32 arg;
	u64 seen, hit;		/* faults' lock */
};

const char * const dmasim_fault_names[] = {
	[DMASIM_FAULT_NONE] = "none",
	[DMASIM_FAULT_FAIL] = "fail",
	[DMASIM_FAULT_ABORT] = "abort",
	[DMASIM_FAULT_SHORT] = "short",
	[DMASIM_FAULT_HANG] = "hang",
	[DMASIM_FAULT_LATE] = "late",
	[DMASIM_FAULT_SPURIOUS] = "spurious",
	[DMASIM_FAULT_IOMMU] = "iommu",
	[DMASIM_FAULT_REFUSE] = "refuse",
	[DMASIM_FAULT_MAP] = "map",
	[DMASIM_FAULT_KINDS] = NULL
};

#define MAX_RULES	64

void dmasim_faults_init(struct dmasim_faults *faults)
{
	spin_lock_init(&faults->lock);
	INIT_LIST_HEAD(&faults->rules);
	faults->active = 0;
	faults->total = 0;
}

void dmasim_faults_clear(struct dmasim_faults *faults)
{
	struct rule *rule, *next;
	unsigned long flags;
	LIST_HEAD(old);

	spin_lock_irqsave(&faults->lock, flags);
	list_splice_init(&faults->rules, &old);
	WRITE_ONCE(faults->active, 0);
	faults->total = 0;
	spin_unlock_irqrestore(&faults->lock, flags);
	list_for_each_entry_safe(rule, next, &old, node)
		kfree(rule);
}

static int parse_word(struct rule *rule, const char *word)
{
	unsigned long long value;
	const char *equals = strchr(word, '=');
	size_t len = equals ? equals - word : 0;

	if (!equals || kstrtoull(equals + 1, 0, &value))
		return -EINVAL;
	if (len == 3 && !strncmp(word, "nth", len) && value)
		rule->nth = value;
	else if (len == 5 && !strncmp(word, "count", len))
		rule->count = value ?: U64_MAX;
	else if (len == 4 && !strncmp(word, "chan", len) && value < DMASIM_MAX_CHANNELS)
		rule->chan = value;
	else if (len == 3 && !strncmp(word, "arg", len) && value <= U32_MAX)
		rule->arg = value;
	else
		return -EINVAL;
	return 0;
}

static int parse_rule(struct rule *rule, char *text)
{
	char *word = strsep(&text, " ");
	int kind = match_string(dmasim_fault_names, -1, word);
	int err;

	if (kind <= DMASIM_FAULT_NONE) {
		pr_warn("fault: there is no \"%s\"\n", word);
		return -EINVAL;
	}
	rule->kind = kind;
	rule->chan = UINT_MAX;
	rule->nth = 1;
	rule->count = 1;
	while ((word = strsep(&text, " "))) {
		if (!*word)
			continue;
		err = parse_word(rule, word);
		if (err) {
			pr_warn("fault: \"%s\" is none of nth=N, count=N, chan=N, arg=N\n", word);
			return err;
		}
	}
	return 0;
}

/* Makes room where there is none: a rule that is used up is only there to be seen. */
static bool has_room(struct dmasim_faults *faults)
{
	struct rule *rule;

	lockdep_assert_held(&faults->lock);

	if (faults->total < MAX_RULES)
		return true;
	list_for_each_entry(rule, &faults->rules, node) {
		if (rule->hit < rule->count)
			continue;
		list_del(&rule->node);
		kfree(rule);
		faults->total--;
		return true;
	}
	return false;
}

static int add_rule(struct dmasim_faults *faults, struct rule *rule)
{
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&faults->lock, flags);
	if (has_room(faults)) {
		list_add_tail(&rule->node, &faults->rules);
		WRITE_ONCE(faults->active, faults->active + 1);
		faults->total++;
	} else {
		err = -ENOSPC;
	}
	spin_unlock_irqrestore(&faults->lock, flags);
	return err;
}

int dmasim_faults_write(struct dmasim_faults *faults, const char *text)
{
	struct rule *rule;
	char *copy;
	int err;

	if (!strcmp(text, "off")) {
		dmasim_faults_clear(faults);
		return 0;
	}
	rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	copy = kstrdup(text, GFP_KERNEL);
	err = rule && copy ? parse_rule(rule, copy) : -ENOMEM;
	kfree(copy);
	if (!err)
		err = add_rule(faults, rule);
	if (err)
		kfree(rule);
	return err;
}

int dmasim_faults_print(struct dmasim_faults *faults, char *page)
{
	struct rule *rule;
	unsigned long flags;
	int len = 0;

	spin_lock_irqsave(&faults->lock, flags);
	list_for_each_entry(rule, &faults->rules, node) {
		len += sysfs_emit_at(page, len, "%s nth=%llu count=%llu arg=%u",
				     dmasim_fault_names[rule->kind], rule->nth,
				     rule->count == U64_MAX ? 0 : rule->count, rule->arg);
		if (rule->chan != UINT_MAX)
			len += sysfs_emit_at(page, len, " chan=%u", rule->chan);
		len += sysfs_emit_at(page, len, " seen=%llu hit=%llu\n", rule->seen, rule->hit);
	}
	spin_unlock_irqrestore(&faults->lock, flags);
	return len;
}

static bool rule_hits(struct rule *rule, unsigned int kinds, unsigned int chan)
{
	if (!(kinds & BIT(rule->kind)) || (rule->chan != UINT_MAX && rule->chan != chan))
		return false;
	return ++rule->seen >= rule->nth;
}

enum dmasim_fault_kind dmasim_fault_hit(struct dmasim_faults *faults, unsigned int kinds,
					unsigned int chan, u32 *arg)
{
	enum dmasim_fault_kind kind = DMASIM_FAULT_NONE;
	struct rule *rule;
	unsigned long flags;

	if (!READ_ONCE(faults->active))
		return DMASIM_FAULT_NONE;
	spin_lock_irqsave(&faults->lock, flags);
	list_for_each_entry(rule, &faults->rules, node) {
		/* Every rule counts, but only the first that hits has its way. */
		if (rule->hit == rule->count || !rule_hits(rule, kinds, chan) || kind)
			continue;
		if (++rule->hit == rule->count)
			WRITE_ONCE(faults->active, faults->active - 1);
		kind = rule->kind;
		*arg = rule->arg;
	}
	spin_unlock_irqrestore(&faults->lock, flags);
	return kind;
}

#ifdef CONFIG_FAULT_INJECTION

static DECLARE_FAULT_ATTR(fail_prep);
static DECLARE_FAULT_ATTR(fail_transfer);
static DECLARE_FAULT_ATTR(fail_map);

void dmasim_attrs_debugfs(struct dentry *parent)
{
	fault_create_debugfs_attr("fail_prep", parent, &fail_prep);
	fault_create_debugfs_attr("fail_transfer", parent, &fail_transfer);
	fault_create_debugfs_attr("fail_map", parent, &fail_map);
}

bool dmasim_attr_fail_prep(void)
{
	return should_fail(&fail_prep, 1);
}

bool dmasim_attr_fail_transfer(void)
{
	return should_fail(&fail_transfer, 1);
}

bool dmasim_attr_fail_map(void)
{
	return should_fail(&fail_map, 1);
}

#else

void dmasim_attrs_debugfs(struct dentry *parent)
{
}

bool dmasim_attr_fail_prep(void)
{
	return false;
}

bool dmasim_attr_fail_transfer(void)
{
	return false;
}

bool dmasim_attr_fail_map(void)
{
	return false;
}

#endif
