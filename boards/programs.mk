# SPDX-License-Identifier: GPL-2.0-only
#
# The programs that a boot needs: board-runner for this machine, init for each
# architecture. O is where they go.

PROGRAM_FLAGS := -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror

INIT_SOURCES := $(wildcard boards/guest/*.c)
RUNNER_SOURCES := $(wildcard boards/runner/*.c)

triplet-amd64 := x86_64-linux-gnu
triplet-arm64 := aarch64-linux-gnu
triplet-armhf := arm-linux-gnueabihf

$(O)/board-runner: $(RUNNER_SOURCES) boards/runner/runner.h boards/programs.mk
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_FLAGS) -o $@.tmp$$$$ $(RUNNER_SOURCES) && mv $@.tmp$$$$ $@

$(O)/init-%: $(INIT_SOURCES) boards/guest/guest.h boards/programs.mk
	@mkdir -p $(@D)
	$(triplet-$*)-gcc $(PROGRAM_FLAGS) -static -s -o $@.tmp$$$$ $(INIT_SOURCES) && mv $@.tmp$$$$ $@
