# SPDX-License-Identifier: GPL-2.0-only
#
# The programs that are tests. To be included with the repository's root as the
# working directory, and with O as the folder for what is built.
#
#   PROGRAMS        those that run on boards, by their path without ".c": the
#                   program for ARCH is $(O)/programs/ARCH/PATH
#   HOST_PROGRAMS   those that run on this machine: $(O)/programs/host/PATH
#   host-programs   the target that makes the latter; "stage" asks for it

PROGRAMS := $(patsubst %.c,%,$(wildcard tests/labs/*.c tests/dmasim/*.c tests/uapi/*.c \
	tests/lib/*.c labs/*/*_app.c)) tests/fuzz/fuzz
PROGRAMS += $(patsubst %.c,%,$(wildcard bench/*.c))
PROGRAMS += $(patsubst %.c,%,$(wildcard examples/*.c))

# The programs of the manual pages: those that are no links.
PAGES := $(patsubst man/man3/%.3,%,$(shell grep -L '^\.so ' man/man3/*.3))
PROGRAMS += $(addprefix tests/lib/pages/,$(PAGES))

HOST_PROGRAMS := $(patsubst %.c,%,$(wildcard tests/labs/host/*.c))

program-compiler-amd64 := x86_64-linux-gnu-gcc
program-compiler-arm64 := aarch64-linux-gnu-gcc
program-compiler-armhf := arm-linux-gnueabihf-gcc
program-compiler-host := $(or $(HOSTCC),gcc)

# Debian keeps DRM's headers out of a machine's own; a cross compiler has them, and they are
# the same everywhere.
DRM_HEADERS := -idirafter /usr/arm-linux-gnueabihf/include/drm

PROGRAM_FLAGS := -std=c11 -Wall -Wextra -Werror -O2 -pthread
TEST_SOURCES := tests/harness/harness.c
TEST_HEADERS := tests/harness/harness.h
LAB_TEST_SOURCES := $(wildcard tests/labs/common/*.c)
LAB_TEST_HEADERS := $(wildcard tests/labs/common/*.h labs/*/*.h)
SIM_TEST_SOURCES := $(wildcard tests/dmasim/common/*.c)
SIM_TEST_HEADERS := $(wildcard tests/dmasim/common/*.h) tests/kmod/simtest/simtest.h

UAPI_TEST_SOURCES := $(wildcard tests/uapi/common/*.c)
UAPI_TEST_HEADERS := $(wildcard tests/uapi/common/*.h) include/uapi/linux/dmafd.h

FUZZ_SOURCES := $(wildcard tests/fuzz/*.c)

# They use what those of the interface use, and the library's own idea of the interface.
LIB_TEST_SOURCES := $(wildcard tests/lib/common/*.c) $(UAPI_TEST_SOURCES)
LIB_TEST_HEADERS := $(wildcard tests/lib/common/*.h) $(UAPI_TEST_HEADERS) include/dmafd.h

# $(1): architecture. What these folders hold are six kinds of program.
define program-rules
$(O)/programs/$(1)/tests/fuzz/fuzz: $(FUZZ_SOURCES) tests/fuzz/calls.h $(TEST_SOURCES) \
		$(TEST_HEADERS) $(UAPI_TEST_SOURCES) $(UAPI_TEST_HEADERS) tests/programs.mk
	@echo '  PROGRAM $(1) tests/fuzz/fuzz'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) $(PROGRAM_FLAGS) -static -s -I tests/harness -I include/uapi \
		-o $$@ $(FUZZ_SOURCES) $(UAPI_TEST_SOURCES) $(TEST_SOURCES)

$(O)/programs/$(1)/tests/lib/%: tests/lib/%.c $(TEST_SOURCES) $(TEST_HEADERS) \
		$(LIB_TEST_SOURCES) $(LIB_TEST_HEADERS) $(O)/lib/$(1)/libdmafd.a tests/programs.mk
	@echo '  PROGRAM $(1) tests/lib/$$*'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) $(PROGRAM_FLAGS) -static -s -I tests/harness -I $$(LIB_UAPI) \
		-I include -o $$@ $$< $(LIB_TEST_SOURCES) $(TEST_SOURCES) $(O)/lib/$(1)/libdmafd.a

$(O)/programs/$(1)/tests/uapi/%: tests/uapi/%.c $(TEST_SOURCES) $(TEST_HEADERS) \
		$(UAPI_TEST_SOURCES) $(UAPI_TEST_HEADERS) tests/programs.mk
	@echo '  PROGRAM $(1) tests/uapi/$$*'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) $(PROGRAM_FLAGS) -static -s -I tests/harness -I include/uapi \
		-o $$@ $$< $(UAPI_TEST_SOURCES) $(TEST_SOURCES)

$(O)/programs/$(1)/bench/%: bench/%.c $(TEST_SOURCES) $(TEST_HEADERS) $(UAPI_TEST_SOURCES) \
		$(UAPI_TEST_HEADERS) tests/kmod/rival/rival.h tests/programs.mk
	@echo '  PROGRAM $(1) bench/$$*'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) $(PROGRAM_FLAGS) -static -s -I tests/harness -I include/uapi \
		-I tests/uapi/common -o $$@ $$< $(UAPI_TEST_SOURCES) $(TEST_SOURCES)

$(O)/programs/$(1)/examples/%: examples/%.c include/dmafd.h $(O)/lib/$(1)/libdmafd.a \
		tests/programs.mk
	@echo '  PROGRAM $(1) examples/$$*'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) -std=gnu11 -Wall -Wextra -Werror -O2 -static -s -I include \
		$(DRM_HEADERS) -o $$@ $$< $(O)/lib/$(1)/libdmafd.a -pthread

$(O)/programs/$(1)/tests/lib/pages/%: man/man3/%.3 tests/lib/example include/dmafd.h \
		$(O)/lib/$(1)/libdmafd.a tests/programs.mk
	@echo '  PROGRAM $(1) $$<'
	@mkdir -p $$(@D)
	@tests/lib/example $$< >$$@.c
	@$(program-compiler-$(1)) -Wall -Wextra -Werror -O2 -static -s -I include -o $$@ $$@.c \
		$(O)/lib/$(1)/libdmafd.a -pthread

$(O)/programs/$(1)/tests/dmasim/%: tests/dmasim/%.c $(TEST_SOURCES) $(TEST_HEADERS) \
		$(SIM_TEST_SOURCES) $(SIM_TEST_HEADERS) tests/programs.mk
	@echo '  PROGRAM $(1) tests/dmasim/$$*'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) $(PROGRAM_FLAGS) -static -s -I tests/harness \
		-I tests/kmod/simtest -o $$@ $$< $(SIM_TEST_SOURCES) $(TEST_SOURCES)

$(O)/programs/$(1)/tests/labs/%: tests/labs/%.c $(TEST_SOURCES) $(TEST_HEADERS) \
		$(LAB_TEST_SOURCES) $(LAB_TEST_HEADERS) tests/programs.mk
	@echo '  PROGRAM $(1) tests/labs/$$*'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) $(PROGRAM_FLAGS) -static -s -I tests/harness \
		-o $$@ $$< $(LAB_TEST_SOURCES) $(TEST_SOURCES)

$(O)/programs/$(1)/labs/%: labs/%.c $(LAB_TEST_HEADERS) tests/programs.mk
	@echo '  PROGRAM $(1) labs/$$*'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) -Wall -Wextra -Werror -O2 -static -s -o $$@ $$<
endef

$(foreach a,amd64 arm64 armhf,$(eval $(call program-rules,$(a))))

.PHONY: host-programs
host-programs: $(addprefix $(O)/programs/host/,$(HOST_PROGRAMS))
stage: host-programs

$(O)/programs/host/tests/labs/host/sg_split: labs/02-scatter-gather/sg_split.c \
	labs/02-scatter-gather/sg_split.h

$(O)/programs/host/tests/%: tests/%.c $(TEST_SOURCES) $(TEST_HEADERS) tests/programs.mk
	@echo '  PROGRAM host tests/$*'
	@mkdir -p $(@D)
	@$(program-compiler-host) $(PROGRAM_FLAGS) -I tests/harness -I labs/02-scatter-gather \
		-o $@ $(filter %.c,$^)
