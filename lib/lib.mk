# SPDX-License-Identifier: GPL-2.0-only
#
# The library. To be included with the repository's root as the working directory, and
# with O as the folder for what is built.
#
#   $(O)/lib/ARCH/libdmafd.a    for each architecture, and "host" for this machine
#   $(O)/lib/host/libdmafd.so   with the names by which it is linked and found
#   lib                         the target that makes the latter two
#   install-lib                 PREFIX, LIBDIR, INCLUDEDIR, MANDIR, DESTDIR

LIB_VERSION := 1.0.0
LIB_SONAME := libdmafd.so.1
LIB_UAPI := include/uapi
LIB_SOURCES := $(wildcard lib/*.c)
LIB_HEADERS := include/dmafd.h lib/internal.h $(LIB_UAPI)/linux/dmafd.h
LIB_FLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra -Werror -O2 \
	-pthread -fPIC -fvisibility=hidden -DDMAFD_VERSION='"$(LIB_VERSION)"' \
	-I include -I $(LIB_UAPI)

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man

# A tool of a compiler's tool chain.
lib-tool = $(or $(patsubst %gcc,%,$(filter %-gcc,$(program-compiler-$(1)))),)$(2)

# One object, whose inner names don't meet those of the program.
# $(1): architecture
define lib-rules
$(O)/lib/$(1)/%.o: lib/%.c $(LIB_HEADERS) lib/lib.mk
	@echo '  LIB     $(1) $$<'
	@mkdir -p $$(@D)
	@$(program-compiler-$(1)) $(LIB_FLAGS) -c -o $$@ $$<

$(O)/lib/$(1)/libdmafd.a: $(LIB_SOURCES:lib/%.c=$(O)/lib/$(1)/%.o) lib/lib.mk
	@rm -f $$@
	@$$(call lib-tool,$(1),ld) -r -o $(O)/lib/$(1)/libdmafd.o $$(filter %.o,$$^)
	@$$(call lib-tool,$(1),objcopy) --localize-hidden $(O)/lib/$(1)/libdmafd.o
	@$$(call lib-tool,$(1),ar) rcs $$@ $(O)/lib/$(1)/libdmafd.o
endef

$(foreach a,amd64 arm64 armhf host,$(eval $(call lib-rules,$(a))))

$(O)/lib/host/libdmafd.so: $(LIB_SOURCES:lib/%.c=$(O)/lib/host/%.o) lib/libdmafd.map
	@$(program-compiler-host) -shared -pthread -Wl,--version-script=lib/libdmafd.map \
		-Wl,-soname,$(LIB_SONAME) -Wl,-z,defs -o $@.$(LIB_VERSION).tmp $(filter %.o,$^)
	@mv $@.$(LIB_VERSION).tmp $(@D)/libdmafd.so.$(LIB_VERSION)
	@ln -sfn libdmafd.so.$(LIB_VERSION) $(@D)/$(LIB_SONAME)
	@ln -sfn $(LIB_SONAME) $@

$(O)/lib/host/libdmafd.pc: lib/libdmafd.pc.in lib/lib.mk
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(LIB_VERSION)|; /SPDX/d' $< >$@

.PHONY: lib install-lib
lib: $(O)/lib/host/libdmafd.a $(O)/lib/host/libdmafd.so

stage: lib

# The paths in it are of this very call.
install-lib: lib
	@rm -f $(O)/lib/host/libdmafd.pc && $(MAKE) -s $(O)/lib/host/libdmafd.pc
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(MANDIR)/man3
	install -m 644 include/dmafd.h $(DESTDIR)$(INCLUDEDIR)/
	install -m 644 $(O)/lib/host/libdmafd.a $(DESTDIR)$(LIBDIR)/
	install -m 755 $(O)/lib/host/libdmafd.so.$(LIB_VERSION) $(DESTDIR)$(LIBDIR)/
	ln -sfn libdmafd.so.$(LIB_VERSION) $(DESTDIR)$(LIBDIR)/$(LIB_SONAME)
	ln -sfn $(LIB_SONAME) $(DESTDIR)$(LIBDIR)/libdmafd.so
	install -m 644 $(O)/lib/host/libdmafd.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 644 $(wildcard man/man3/*.3) $(DESTDIR)$(MANDIR)/man3/
