// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of a controller and of a peripheral: how each is written, which
 * values it takes, and whether they fit each other.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/ctype.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/kstrtox.h>
#include <linux/string.h>

#include "dmasim.h"

#define pr_option(option, format, ...) \
	pr_warn("option \"%s\": " format "\n", (option)->name, ##__VA_ARGS__)

const char * const dmasim_type_names[] = {
	[DMASIM_MEMCPY] = "memcpy",
	[DMASIM_MEMSET] = "memset",
	[DMASIM_MEMSET_SG] = "memset_sg",
	[DMASIM_XOR] = "xor",
	[DMASIM_SLAVE] = "slave",
	[DMASIM_CYCLIC] = "cyclic",
	[DMASIM_INTERLEAVE] = "interleave",
	[DMASIM_INTERRUPT] = "interrupt",
	[DMASIM_REPEAT] = "repeat",
	NULL
};

static const char * const direction_names[] = {
	[DMA_MEM_TO_MEM] = "mem_to_mem",
	[DMA_MEM_TO_DEV] = "mem_to_dev",
	[DMA_DEV_TO_MEM] = "dev_to_mem",
	NULL
};

static const char * const view_names[] = {
	[DMASIM_FLAT] = "flat",
	[DMASIM_IOMMU] = "iommu",
	[DMASIM_NONCOHERENT] = "noncoherent",
	NULL
};

static const char * const residue_names[] = {
	[DMA_RESIDUE_GRANULARITY_DESCRIPTOR] = "descriptor",
	[DMA_RESIDUE_GRANULARITY_SEGMENT] = "segment",
	[DMA_RESIDUE_GRANULARITY_BURST] = "burst",
	NULL
};

static const char * const translation_names[] = {
	[DMASIM_BY_LINE] = "line",
	[DMASIM_BY_CHANNEL] = "channel",
	NULL
};

static const char * const kind_names[] = {
	[DMASIM_LOOPBACK] = "loopback",
	[DMASIM_SOURCE] = "source",
	[DMASIM_SINK] = "sink",
	NULL
};

static const char * const pattern_names[] = {
	[DMASIM_COUNTER8] = "counter8",
	[DMASIM_COUNTER16] = "counter16",
	[DMASIM_COUNTER32] = "counter32",
	[DMASIM_VALUES] = "values",
	NULL
};

static void store_number(const struct dmasim_option *option, void *field, u64 value)
{
	if (option->size == sizeof(u64))
		*(u64 *)field = value;
	else
		*(u32 *)field = value;
}

static u64 load_number(const struct dmasim_option *option, const void *field)
{
	return option->size == sizeof(u64) ? *(const u64 *)field : *(const u32 *)field;
}

/* Numbers as C writes them, with K, M or G behind them if you like. */
static int read_number(const char *text, u64 *value)
{
	static const char suffixes[] = "KMG";
	size_t len = strlen(text);
	const char *suffix = len ? strchr(suffixes, text[len - 1]) : NULL;
	unsigned int shift = suffix ? 10 * (suffix - suffixes + 1) : 0;
	char digits[32];
	int err;

	if (!isdigit(*text) || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len);
	digits[suffix ? len - 1 : len] = '\0';
	err = kstrtou64(digits, 0, value);
	if (err)
		return err;
	if (*value > U64_MAX >> shift)
		return -ERANGE;
	*value <<= shift;
	return 0;
}

static int parse_number(const struct dmasim_option *option, void *field, const char *text)
{
	u64 value;
	int err = read_number(text, &value);

	if (err == -EINVAL) {
		pr_option(option, "\"%s\" is not a number", text);
		return err;
	}
	if (err || value < option->min || value > option->max) {
		pr_option(option, "%s is not from %llu to %llu", text, option->min, option->max);
		return -ERANGE;
	}
	store_number(option, field, value);
	return 0;
}

static int print_number(const struct dmasim_option *option, const void *field, char *page)
{
	return sysfs_emit(page, "%llu\n", load_number(option, field));
}

static int parse_power(const struct dmasim_option *option, void *field, const char *text)
{
	u32 value;
	struct dmasim_option number = *option;
	int err;

	number.size = sizeof(value);
	err = parse_number(&number, &value, text);
	if (err)
		return err;
	if (!is_power_of_2(value)) {
		pr_option(option, "%u is not a power of two", value);
		return -EINVAL;
	}
	store_number(option, field, value);
	return 0;
}

static int parse_bool(const struct dmasim_option *option, void *field, const char *text)
{
	bool value;

	if (kstrtobool(text, &value)) {
		pr_option(option, "\"%s\" is neither 0 nor 1", text);
		return -EINVAL;
	}
	store_number(option, field, value);
	return 0;
}

static int find_word(const struct dmasim_option *option, const char *text, size_t len)
{
	unsigned int i;

	for (i = 0; option->words[i]; i++)
		if (strlen(option->words[i]) == len && !strncmp(option->words[i], text, len))
			return i;
	pr_option(option, "there is no \"%.*s\"", (int)len, text);
	return -EINVAL;
}

static int parse_word(const struct dmasim_option *option, void *field, const char *text)
{
	int word = find_word(option, text, strlen(text));

	if (word < 0)
		return word;
	store_number(option, field, word);
	return 0;
}

static int print_word(const struct dmasim_option *option, const void *field, char *page)
{
	return sysfs_emit(page, "%s\n", option->words[load_number(option, field)]);
}

#define SEPARATORS	" ,|"

static bool is_end(const char *text)
{
	return !*text || strchr(SEPARATORS, *text);
}

static const char *skip(const char *text)
{
	return text + strspn(text, SEPARATORS);
}

static int parse_words(const struct dmasim_option *option, void *field, const char *text)
{
	u64 value = 0;
	size_t len;
	int word;

	for (text = skip(text); *text; text = skip(text + len)) {
		len = strcspn(text, SEPARATORS);
		word = find_word(option, text, len);
		if (word < 0)
			return word;
		value |= BIT_ULL(word);
	}
	if (!value) {
		pr_option(option, "none is too few");
		return -EINVAL;
	}
	store_number(option, field, value);
	return 0;
}

static int print_words(const struct dmasim_option *option, const void *field, char *page)
{
	u64 value = load_number(option, field);
	unsigned int i;
	int len = 0;

	for (i = 0; option->words[i]; i++)
		if (value & BIT_ULL(i))
			len += sysfs_emit_at(page, len, "%s%s", len ? " " : "", option->words[i]);
	return len + sysfs_emit_at(page, len, "\n");
}

/* Register widths in bytes: a bit for each, as the slave capabilities have them. */
static int parse_widths(const struct dmasim_option *option, void *field, const char *text)
{
	static const u8 widths[] = { 1, 2, 3, 4, 8, 16 };
	u64 value = 0;
	unsigned int width, i;
	int used;

	for (text = skip(text); *text; text = skip(text + used)) {
		used = 0;
		if (sscanf(text, "%2u%n", &width, &used) != 1 || !is_end(text + used))
			width = 0;
		for (i = 0; i < ARRAY_SIZE(widths) && widths[i] != width; i++)
			;
		if (i == ARRAY_SIZE(widths)) {
			pr_option(option, "\"%s\": widths are 1, 2, 3, 4, 8 and 16 bytes", text);
			return -EINVAL;
		}
		value |= BIT_ULL(width);
	}
	if (!value) {
		pr_option(option, "none is too few");
		return -EINVAL;
	}
	store_number(option, field, value);
	return 0;
}

static int print_widths(const struct dmasim_option *option, const void *field, char *page)
{
	u64 value = load_number(option, field);
	unsigned int i;
	int len = 0;

	for (i = 0; i < 64; i++)
		if (value & BIT_ULL(i))
			len += sysfs_emit_at(page, len, "%s%u", len ? " " : "", i);
	return len + sysfs_emit_at(page, len, "\n");
}

/* "0-3:7 12:1": channels and their priority; the others have 0. */
static int parse_priorities(const struct dmasim_option *option, void *field, const char *text)
{
	u8 *priority = kzalloc(DMASIM_MAX_CHANNELS, GFP_KERNEL);
	unsigned int first, last, level;
	int used;

	if (!priority)
		return -ENOMEM;
	for (text = skip(text); *text; text = skip(text + used)) {
		used = 0;
		if (sscanf(text, "%5u-%5u:%2u%n", &first, &last, &level, &used) != 3) {
			used = 0;
			if (sscanf(text, "%5u:%2u%n", &first, &level, &used) != 2)
				break;
			last = first;
		}
		if (first > last || last >= DMASIM_MAX_CHANNELS || level >= DMASIM_PRIORITIES ||
		    !is_end(text + used))
			break;
		memset(priority + first, level, last - first + 1);
	}
	if (*text) {
		pr_option(option, "\"%s\" is not FIRST-LAST:PRIORITY, below %u and %u", text,
			  DMASIM_MAX_CHANNELS, DMASIM_PRIORITIES);
		kfree(priority);
		return -EINVAL;
	}
	memcpy(field, priority, DMASIM_MAX_CHANNELS);
	kfree(priority);
	return 0;
}

static int print_priorities(const struct dmasim_option *option, const void *field, char *page)
{
	const u8 *priority = field;
	unsigned int first, last;
	int len = 0;

	for (first = 0; first < DMASIM_MAX_CHANNELS; first = last) {
		for (last = first; last < DMASIM_MAX_CHANNELS && priority[last] == priority[first];)
			last++;
		if (priority[first])
			len += sysfs_emit_at(page, len, "%s%u-%u:%u", len ? " " : "", first,
					     last - 1, priority[first]);
	}
	return len + sysfs_emit_at(page, len, "\n");
}

/* A client: "DEVICE:NAME", as dma_request_chan() has them; nothing takes it back. */
static int parse_client(const struct dmasim_option *option, void *field, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (strlen(text) >= option->size) {
		pr_option(option, "longer than %zu characters", option->size - 1);
		return -ERANGE;
	}
	if (*text && (!colon || colon == text || !colon[1])) {
		pr_option(option, "\"%s\" is not DEVICE:NAME", text);
		return -EINVAL;
	}
	strscpy(field, text, option->size);
	return 0;
}

static int print_string(const struct dmasim_option *option, const void *field, char *page)
{
	return sysfs_emit(page, "%s\n", (const char *)field);
}

#define FIELD(object, field) \
	.offset = offsetof(struct object, field), .size = sizeof_field(struct object, field)
#define NUMBER(object, field, low, high) \
	{ #field, parse_number, print_number, FIELD(object, field), .min = low, .max = high }
#define POWER(object, field, low, high) \
	{ #field, parse_power, print_number, FIELD(object, field), .min = low, .max = high }
#define BOOL(object, field) \
	{ #field, parse_bool, print_number, FIELD(object, field) }
#define WORD(object, field, names) \
	{ #field, parse_word, print_word, FIELD(object, field), .words = names }
#define WORDS(object, field, names) \
	{ #field, parse_words, print_words, FIELD(object, field), .words = names }

const struct dmasim_option dmasim_controller_options[] = {
	NUMBER(dmasim_config, physical, 1, DMASIM_MAX_PHYSICAL),
	NUMBER(dmasim_config, channels, 1, DMASIM_MAX_CHANNELS),
	WORDS(dmasim_config, types, dmasim_type_names),
	WORDS(dmasim_config, directions, direction_names),
	WORD(dmasim_config, view, view_names),
	POWER(dmasim_config, line_size, 4, 4096),
	NUMBER(dmasim_config, dma_bits, 24, 64),
	NUMBER(dmasim_config, max_segment, 64, U32_MAX),
	NUMBER(dmasim_config, max_burst, 1, 65536),
	NUMBER(dmasim_config, max_sg, 0, 65536),
	POWER(dmasim_config, align, 1, 256),
	{ "widths", parse_widths, print_widths, FIELD(dmasim_config, widths) },
	NUMBER(dmasim_config, max_xor, 2, 32),
	NUMBER(dmasim_config, descriptors, 1, 1048576),
	WORD(dmasim_config, residue, residue_names),
	BOOL(dmasim_config, pause),
	BOOL(dmasim_config, reuse),
	BOOL(dmasim_config, private),
	NUMBER(dmasim_config, bandwidth, 0, 1ULL << 40),
	NUMBER(dmasim_config, latency_ns, 0, NSEC_PER_SEC),
	WORD(dmasim_config, translation, translation_names),
	{ "priority", parse_priorities, print_priorities, FIELD(dmasim_config, priority) },
	{ }
};

const struct dmasim_option dmasim_peripheral_options[] = {
	WORD(dmasim_peripheral_config, kind, kind_names),
	NUMBER(dmasim_peripheral_config, line, 0, 65535),
	NUMBER(dmasim_peripheral_config, address, 0, U64_MAX >> 1),
	NUMBER(dmasim_peripheral_config, depth, 1, SZ_16M),
	NUMBER(dmasim_peripheral_config, rate, 0, 1ULL << 40),
	WORD(dmasim_peripheral_config, pattern, pattern_names),
	{ "tx_client", parse_client, print_string, FIELD(dmasim_peripheral_config, tx_client) },
	{ "rx_client", parse_client, print_string, FIELD(dmasim_peripheral_config, rx_client) },
	{ }
};

const struct dmasim_option *dmasim_option_find(const struct dmasim_option *table,
					       const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

int dmasim_option_set(const struct dmasim_option *option, void *config, const char *text)
{
	return option->parse(option, (char *)config + option->offset, text);
}

int dmasim_option_print(const struct dmasim_option *option, const void *config, char *page)
{
	return option->print(option, (const char *)config + option->offset, page);
}

struct dmasim_config *dmasim_config_new(void)
{
	struct dmasim_config *config = kzalloc(sizeof(*config), GFP_KERNEL);

	if (!config)
		return NULL;
	config->peripheral = kcalloc(DMASIM_MAX_PERIPHERALS, sizeof(*config->peripheral),
				     GFP_KERNEL);
	if (!config->peripheral) {
		kfree(config);
		return NULL;
	}
	config->physical = 4;
	config->channels = 16;
	config->types = GENMASK_ULL(DMASIM_REPEAT, DMASIM_MEMCPY);
	config->directions = BIT(DMA_MEM_TO_MEM) | BIT(DMA_MEM_TO_DEV) | BIT(DMA_DEV_TO_MEM);
	config->view = DMASIM_FLAT;
	config->line_size = 64;
	config->dma_bits = 64;
	config->max_segment = SZ_4M;
	config->max_burst = 256;
	config->align = 1;
	config->widths = BIT(1) | BIT(2) | BIT(4) | BIT(8);
	config->max_xor = 8;
	config->descriptors = 16384;
	config->residue = DMA_RESIDUE_GRANULARITY_BURST;
	config->pause = 1;
	config->reuse = 1;
	config->private = 1;
	return config;
}

struct dmasim_peripheral_config *dmasim_config_add(struct dmasim_config *config)
{
	struct dmasim_peripheral_config *peripheral;

	if (config->peripherals == DMASIM_MAX_PERIPHERALS)
		return NULL;
	peripheral = &config->peripheral[config->peripherals++];
	peripheral->depth = 4096;
	return peripheral;
}

void dmasim_config_free(struct dmasim_config *config)
{
	unsigned int i;

	if (!config)
		return;
	for (i = 0; i < config->peripherals; i++)
		kvfree(config->peripheral[i].values);
	kfree(config->peripheral);
	kfree(config);
}

static int check_peripheral(const struct dmasim_config *config, unsigned int index)
{
	const struct dmasim_peripheral_config *peripheral = &config->peripheral[index];
	unsigned int i;

	for (i = 0; i < index; i++) {
		if (config->peripheral[i].line == peripheral->line) {
			pr_warn("peripherals \"%s\" and \"%s\" are both on line %u\n",
				config->peripheral[i].name, peripheral->name, peripheral->line);
			return -EINVAL;
		}
		if (peripheral->address && config->peripheral[i].address == peripheral->address) {
			pr_warn("peripherals \"%s\" and \"%s\" have the same address\n",
				config->peripheral[i].name, peripheral->name);
			return -EINVAL;
		}
	}
	if (peripheral->pattern == DMASIM_VALUES && !peripheral->values_size) {
		pr_warn("peripheral \"%s\": pattern \"values\" needs some values\n",
			peripheral->name);
		return -EINVAL;
	}
	if ((peripheral->kind == DMASIM_SOURCE && *peripheral->tx_client) ||
	    (peripheral->kind == DMASIM_SINK && *peripheral->rx_client)) {
		pr_warn("peripheral \"%s\" has a client for a direction that it has not\n",
			peripheral->name);
		return -EINVAL;
	}
	return 0;
}

int dmasim_config_check(const struct dmasim_config *config)
{
	bool slave = config->types & (BIT(DMASIM_SLAVE) | BIT(DMASIM_CYCLIC));
	unsigned int i;
	int err;

	if (slave && !(config->directions & (BIT(DMA_MEM_TO_DEV) | BIT(DMA_DEV_TO_MEM)))) {
		pr_warn("types \"slave\" and \"cyclic\" need a direction to or from a device\n");
		return -EINVAL;
	}
	if (config->types == BIT(DMASIM_REPEAT)) {
		pr_warn("type \"repeat\" is nothing alone: what is to be repeated?\n");
		return -EINVAL;
	}
	if (config->max_segment < config->align) {
		pr_warn("a segment of %u bytes can't be aligned to %u\n", config->max_segment,
			config->align);
		return -EINVAL;
	}
	for (i = 0; i < config->peripherals; i++) {
		err = check_peripheral(config, i);
		if (err)
			return err;
	}
	return 0;
}
