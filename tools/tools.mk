# SPDX-License-Identifier: GPL-2.0-only
#
# The command. To be included with the repository's root as the working directory, and
# with O as the folder for what is built, after the library.
#
#   PROGRAMS                        gets "tools/dmafd": $(O)/programs/ARCH/tools/dmafd
#   $(O)/programs/host/tools/dmafd  for this machine; "tools" makes it
#   install-tools                   PREFIX, BINDIR, MANDIR, COMPLETIONDIR, UDEVDIR,
#                                   SYSUSERSDIR, DESTDIR

PROGRAMS += tools/dmafd
TOOL_SOURCES := $(wildcard tools/*.c)
TOOL_HEADERS := include/dmafd.h $(wildcard tools/*.h)
TOOL_FLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra -Werror -O2 \
	-pthread -I include

BINDIR ?= $(PREFIX)/bin
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
# Where the system looks, whatever PREFIX is.
UDEVDIR ?= /usr/lib/udev/rules.d
SYSUSERSDIR ?= /usr/lib/sysusers.d

# $(1): architecture, $(2): how it is linked
define tool-rules
$(O)/tools/$(1)/%.o: tools/%.c $(TOOL_HEADERS) tools/tools.mk
	@echo '  TOOL    $(1) $$<'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) $(TOOL_FLAGS) -c -o $$@ $$<

$(O)/programs/$(1)/tools/dmafd: $(TOOL_SOURCES:tools/%.c=$(O)/tools/$(1)/%.o) \
		$(O)/lib/$(1)/libdmafd.a
	@echo '  PROGRAM $(1) tools/dmafd'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) -pthread -s $(2) -o $$@ $$^ -lm
endef

$(foreach a,amd64 arm64 armhf,$(eval $(call tool-rules,$(a),-static)))
$(eval $(call tool-rules,host,))

.PHONY: tools install-tools
tools: $(O)/programs/host/tools/dmafd
host-programs: tools

install-tools: tools
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(COMPLETIONDIR) \
		$(DESTDIR)$(UDEVDIR) $(DESTDIR)$(SYSUSERSDIR)
	install -m 755 $(O)/programs/host/tools/dmafd $(DESTDIR)$(BINDIR)/
	install -m 644 man/man1/*.1 $(DESTDIR)$(MANDIR)/man1/
	install -m 644 completion/bash/dmafd $(DESTDIR)$(COMPLETIONDIR)/
	install -m 644 packaging/udev/60-dmafd.rules $(DESTDIR)$(UDEVDIR)/
	install -m 644 packaging/sysusers.d/dmafd.conf $(DESTDIR)$(SYSUSERSDIR)/
