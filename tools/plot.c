// SPDX-License-Identifier: GPL-2.0-only
/* Draws curves to an SVG file. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>

#define WIDTH	800
#define HEIGHT	500
#define LEFT	90
#define RIGHT	170
#define TOP	50
#define BOTTOM	60

/* Colours that also those tell apart who see few. */
static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00" };

struct axis {
	double low, high;	/* logarithms */
	double begin, end;	/* on the drawing */
};

static double on_axis(const struct axis *axis, double value)
{
	double span = axis->high - axis->low;
	double part = span > 0 ? (log10(value) - axis->low) / span : 0.5;

	return axis->begin + part * (axis->end - axis->begin);
}

static void find_range(const struct curve *curves, size_t count, size_t sizes_count,
		       struct axis *axis)
{
	size_t i, k;

	axis->low = INFINITY;
	axis->high = -INFINITY;
	for (i = 0; i < count; i++) {
		for (k = 0; k < sizes_count; k++) {
			if (curves[i].values[k] <= 0)
				continue;
			axis->low = fmin(axis->low, floor(log10(curves[i].values[k])));
			axis->high = fmax(axis->high, ceil(log10(curves[i].values[k])));
		}
	}
	if (axis->low > axis->high)
		axis->low = 0, axis->high = 0;
}

static void draw_axes(FILE *out, const struct axis *x, const struct axis *y, const char *unit,
		      const uint64_t *sizes, size_t count)
{
	double power, at;
	size_t i;

	for (power = y->low; power <= y->high; power++) {
		at = on_axis(y, pow(10, power));
		fprintf(out, "<line x1=\"%g\" y1=\"%.1f\" x2=\"%g\" y2=\"%.1f\" class=\"grid\"/>\n",
			x->begin, at, x->end, at);
		fprintf(out, "<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
			x->begin - 8, at + 4, pow(10, power));
	}
	for (i = 0; i < count; i++)
		fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			on_axis(x, sizes[i]), HEIGHT - BOTTOM + 20, short_size(sizes[i]));
	fprintf(out, "<text x=\"20\" y=\"%d\" transform=\"rotate(-90 20 %d)\"", HEIGHT / 2,
		HEIGHT / 2);
	fprintf(out, " text-anchor=\"middle\">%s</text>\n", unit);
}

static void draw_curve(FILE *out, const struct axis *x, const struct axis *y,
		       const uint64_t *sizes, size_t count, const struct curve *curve,
		       size_t number)
{
	const char *colour = colours[number % ARRAY_SIZE(colours)];
	size_t i;

	fprintf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\"", colour);
	fputs(" points=\"", out);
	for (i = 0; i < count; i++)
		if (curve->values[i] > 0)
			fprintf(out, "%.1f,%.1f ", on_axis(x, sizes[i]),
				on_axis(y, curve->values[i]));
	fprintf(out, "\"/>\n<text x=\"%d\" y=\"%zu\" fill=\"%s\">%s</text>\n",
		WIDTH - RIGHT + 15, TOP + 20 + 20 * number, colour, curve->name);
}

static void draw(FILE *out, const char *title, const char *unit, const uint64_t *sizes,
		 size_t count, const struct curve *curves, size_t curves_count)
{
	struct axis x = {
		.low = log10(sizes[0]), .high = log10(sizes[count - 1]), .begin = LEFT,
		.end = WIDTH - RIGHT,
	};
	struct axis y = { .begin = HEIGHT - BOTTOM, .end = TOP };
	size_t i;

	find_range(curves, curves_count, count, &y);
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n"
		"<style>text { font: 13px sans-serif } .grid { stroke: #ccc }</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
		"<text x=\"%d\" y=\"28\" style=\"font-size: 17px\">%s</text>\n",
		WIDTH, HEIGHT, LEFT, title);
	draw_axes(out, &x, &y, unit, sizes, count);
	for (i = 0; i < curves_count; i++)
		draw_curve(out, &x, &y, sizes, count, &curves[i], i);
	fprintf(out, "</svg>\n");
}

int plot(const char *path, const char *title, const char *unit, const uint64_t *sizes, size_t count,
	 const struct curve *curves, size_t curves_count)
{
	struct target target;
	int status = target_open(&target, path, 0666, NULL);
	FILE *out;

	if (status)
		return status;
	out = fdopen(fcntl(target.fd, F_DUPFD_CLOEXEC, 3), "w");
	if (!out) {
		status = failed("%s", path);
	} else {
		draw(out, title, unit, sizes, count, curves, curves_count);
		if (fclose(out))
			status = failed("%s", path);
		else
			status = target_commit(&target);
	}
	target_close(&target);
	return status;
}
