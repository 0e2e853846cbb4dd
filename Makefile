# SPDX-License-Identifier: GPL-2.0-only
#
# The front door: "make help" says what there is. What is built goes to build/,
# what was downloaded to build/cache/.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

O := build
CACHE := $(or $(DMAFD_CACHE),$(O)/cache)

# The kernels that the tests use on each architecture: "all" adds the newest.
KERNELS ?= default
ifeq ($(KERNELS),all)
KERNELS_amd64 := 6.1 6.12 sid
KERNELS_arm64 := 6.1 6.12 sid
else ifeq ($(KERNELS),default)
KERNELS_amd64 := 6.1 6.12
KERNELS_arm64 := 6.1 6.12
else
KERNELS_amd64 := $(KERNELS)
KERNELS_arm64 := $(KERNELS)
endif
KERNELS_armhf := 6.1

# A board to build with, for each architecture.
board-amd64 := pc
board-arm64 := raspi3b
board-armhf := smdkc210

# Every folder with a kernel module that is alone in it.
MODULE_DIRS := $(filter-out tests/kmod,$(patsubst %/,%,\
	$(sort $(dir $(shell grep -ls ^obj-m labs/*/Makefile tests/*/Makefile)))))

# What the labs' READMEs break, as labs/NN-TOPIC/break-NAME: built for raspi3b.
BREAKS := $(sort $(shell grep -H '^\#\#\# BREAK=' labs/*/README.md | sed 's|README.md:\#\#\# BREAK=|break-|'))

# The folders that are built as a whole: our modules, and the tests that run in
# the kernel and use them.
TREES := drivers tests/kmod

.PHONY: help
help:
	@echo 'make run               copy memory by DMA, on the emulated Raspberry Pi 3B'
	@echo 'make run LAB=NAME      show a lab there: $(LABS)'
	@echo '  BREAK=1              its exercises, with what dmasan says to them'
	@echo 'make check             all tests on all boards, and the style checks'
	@echo '  BOARD=… TEST=…       narrowed to a board, to tests whose name matches'
	@echo '  KERNELS=all          on the newest kernel as well'
	@echo 'make check-debug       the tests on debug kernels; building those takes half an hour, once'
	@echo 'make shell BOARD=…     a shell on a board: $(BOARDS)'
	@echo '  KERNEL=…             with another kernel than 6.1'
	@echo 'make bench             what dmafd costs, on raspi3b or BOARD=…; JSON=1 for programs'
	@echo 'make picture           a picture from a virtual camera by DMA to a screen: docs/picture.png'
	@echo '  BOARD=… FILE=…       on another board than pc; to another file, .png, .ppm or .bmp'
	@echo 'make style             the style checks alone'
	@echo 'make modules           build drivers/ in place, for the kernel that runs here'
	@echo '  KDIR=…               for the kernel of these headers'
	@echo 'make install           the command, the library and the udev rule (PREFIX, DESTDIR)'
	@echo 'make dkms-install      the modules, by dkms'
	@echo 'make deb               Debian packages of all that, in build/deb/'
	@echo 'make deps              install what is missing of what all this needs'
	@echo 'make clean             remove what was built; distclean: and downloaded'

LABS = $(patsubst labs/0%,%,$(foreach d,$(sort $(wildcard labs/0*)),$(shell echo $(notdir $(d)) | cut -d- -f2-)))
BOARDS = $(sort $(patsubst boards/%/board,%,$(wildcard boards/*/board)))

# The architecture of each board.
$(foreach b,$(BOARDS),$(eval arch-$(b) := $(shell sed -n 's/^arch=//p' boards/$(b)/board)))

.PHONY: deps deps-run deps-check deps-debug
deps: deps-check
deps-run:
	@scripts/deps run
deps-check:
	@scripts/deps run check
deps-debug:
	@scripts/deps run check debug

include tests/programs.mk
include lib/lib.mk
include tools/tools.mk

# ---- what goes to the boards ----
#
# build/stage/ARCH-KERNEL/ is what a board of that architecture finds in its
# working directory. boards/boot takes it as it is.

ARCH_KERNELS := $(foreach a,amd64 arm64 armhf,$(addprefix $(a)-,$(KERNELS_$(a))))

# What is not compiled, and goes along.
DATA := $(wildcard labs/*.sh labs/*/*.sh labs/*/README.md tests/labs/*.sh \
	tests/kmod/*.sh tests/kmod/README.md tests/dmasan/*.sh tests/lib/*.sh \
	tests/tools/*.sh tools/*.sh tests/fuzz/corpus/*)

arch-of = $(firstword $(subst -, ,$(1)))
kernel-of = $(lastword $(subst -, ,$(1)))
sources-of = $(filter-out %.o %.ko %.mod.c,$(wildcard $(1)/*.c $(1)/*.h $(1)/Makefile $(1)/Kbuild))

# A recipe's first and last words: what is edited while it runs is newer than its
# target. Somebody else may be at the same.
starting = mkdir -p $(@D) && start=$$(mktemp $(@D)/.start.XXXXXX) &&
done = && mv "$$start" $@ || { rm -f "$$start"; false; }

# $(1): ARCH-KERNEL, $(2): a module's folder
define module-rule
$(O)/obj/$(1)/$(2)/.built: $$(call sources-of,$(2)) boards/build
	@echo '  MODULE  $(1) $(2)'
	@$$(starting) boards/build $$(board-$$(call arch-of,$(1))) --kernel $$(call kernel-of,$(1)) \
		--into $(O)/obj/$(1)/$(2) $(2) && \
		mkdir -p $(O)/stage/$(1)/$(2) && \
		cp $(O)/obj/$(1)/$(2)/*.ko $(O)/stage/$(1)/$(2)/ $$(done)
stage-$(1): $(O)/obj/$(1)/$(2)/.built
endef

# $(1): ARCH-KERNEL, $(2): labs/NN-TOPIC/break-NAME
define break-rule
$(O)/obj/$(1)/$(2)/.built: $$(call sources-of,$(patsubst %/,%,$(dir $(2)))) $(dir $(2))README.md \
		labs/break.sh boards/build
	@echo '  BROKEN  $(1) $(2)'
	@$$(starting) sh labs/break.sh $(dir $(2)) $(patsubst break-%,%,$(notdir $(2))) $$(@D) && \
		boards/build $$(board-$$(call arch-of,$(1))) --kernel $$(call kernel-of,$(1)) $$(@D) && \
		mkdir -p $(O)/stage/$(1)/$(2) && \
		cp $$(@D)/*.ko $(O)/stage/$(1)/$(2)/ $$(done)
breaks-$(1): $(O)/obj/$(1)/$(2)/.built
endef

# What a tree is built from. A folder's own time tells that a file of it is gone.
tree-sources = $(shell find $(1) ! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' \
	! -name '.*' ! -name modules.order ! -name Module.symvers)
$(foreach t,$(TREES),$(eval sources-$(t) := $(call tree-sources,$(t))))

# What the second tree needs of the first.
uses-tests/kmod := drivers

# $(1): ARCH-KERNEL, $(2): a tree
define tree-rule
$(O)/obj/$(1)/$(2)/.built: $$(sources-$(2)) boards/build $(wildcard $(CACHE)/kernel/$(1)/done) \
		$(patsubst %,$(O)/obj/$(1)/%/.built,$(uses-$(2)))
	@echo '  MODULES $(1) $(2)'
	@$$(starting) boards/build $$(board-$$(call arch-of,$(1))) --kernel $$(call kernel-of,$(1)) \
		--into $(O)/obj/$(1)/$(2) --modules $(O)/stage/$(1)/$(2) $(2) \
		$(patsubst %,KBUILD_EXTRA_SYMBOLS=$(abspath $(O))/obj/$(1)/%/Module.symvers,$(uses-$(2))) \
		$$(done)
stage-$(1): $(O)/obj/$(1)/$(2)/.built
endef

# $(1): ARCH-KERNEL. Programs depend on the architecture alone.
define stage-rule
.PHONY: stage-$(1)
stage-$(1): $(addprefix $(O)/stage/$(1)/,$(PROGRAMS) $(DATA))
$(addprefix $(O)/stage/$(1)/,$(PROGRAMS)): $(O)/stage/$(1)/%: $(O)/programs/$(call arch-of,$(1))/%
	@mkdir -p $$(@D) && cp $$< $$@
$(addprefix $(O)/stage/$(1)/,$(DATA)): $(O)/stage/$(1)/%: %
	@mkdir -p $$(@D) && cp $$< $$@
endef

$(foreach k,$(ARCH_KERNELS),$(eval $(call stage-rule,$(k)))\
	$(foreach d,$(MODULE_DIRS),$(eval $(call module-rule,$(k),$(d))))\
	$(foreach t,$(TREES),$(eval $(call tree-rule,$(k),$(t)))))

BREAK_KERNELS := $(filter arm64-%,$(ARCH_KERNELS))
$(foreach k,$(BREAK_KERNELS),$(foreach b,$(BREAKS),$(eval $(call break-rule,$(k),$(b)))))

.PHONY: stage $(addprefix breaks-,$(BREAK_KERNELS))
stage: $(addprefix stage-,$(ARCH_KERNELS)) $(addprefix breaks-,$(BREAK_KERNELS))

# ---- the two commands ----

# Time that counts the CPU's instructions is the same on any machine that emulates it.
COUNTING := --qemu -icount --qemu shift=0

.PHONY: run
run: deps-run
	@$(MAKE) -s stage-arm64-6.1 $(if $(BREAK),breaks-arm64-6.1) KERNELS=6.1
	@boards/boot raspi3b $(if $(LAB),-- sh labs/tour.sh $(if $(BREAK),--break) $(LAB),$(COUNTING) -- sh tools/show.sh)

.PHONY: check
check: deps-check
	@$(MAKE) -s stage
	@tests/run --kernels $(KERNELS) $(if $(BOARD),--board '$(BOARD)') $(if $(TEST),--test '$(TEST)')

.PHONY: check-debug
check-debug: deps-debug
	@$(MAKE) -s stage-amd64-debug stage-arm64-debug KERNELS=debug
	@$(MAKE) -s stage-amd64-kcsan KERNELS=kcsan
	@tests/run --kernel debug --kernel kcsan $(if $(BOARD),--board '$(BOARD)') $(if $(TEST),--test '$(TEST)')

.PHONY: bench
bench: deps-run
	@$(MAKE) -s stage-$(arch-$(or $(BOARD),raspi3b))-$(or $(KERNEL),6.1) KERNELS=$(or $(KERNEL),6.1)
	@bench/run $(if $(JSON),--json) $(or $(BOARD),raspi3b) $(or $(KERNEL),6.1)

.PHONY: picture
picture: deps-run
	@$(MAKE) -s stage-$(arch-$(or $(BOARD),pc))-$(or $(KERNEL),6.1) KERNELS=$(or $(KERNEL),6.1)
	@scripts/picture --board $(or $(BOARD),pc) --kernel $(or $(KERNEL),6.1) '$(or $(FILE),docs/picture.png)'

.PHONY: shell
shell: deps-run
	@test -n '$(BOARD)' || { echo 'make shell BOARD=… (there are: $(BOARDS))' >&2; exit 2; }
	@$(MAKE) -s stage-$(arch-$(BOARD))-$(or $(KERNEL),6.1) KERNELS=$(or $(KERNEL),6.1)
	@boards/boot $(BOARD) $(if $(KERNEL),--kernel $(KERNEL))

.PHONY: style
style: deps-check
	@scripts/style

# ---- installation ----

# PREFIX (/usr/local), DESTDIR. The program and the library are those of this machine.
.PHONY: install
install: install-lib install-tools
	@[ -n '$(DESTDIR)' ] || ! command -v systemd-sysusers >/dev/null || systemd-sysusers dmafd.conf
	@[ -n '$(DESTDIR)' ] || ! command -v ldconfig >/dev/null || ldconfig
	@[ -n '$(DESTDIR)' ] || ! command -v udevadm >/dev/null || udevadm control --reload

# The modules' sources, for dkms to build for every kernel that this machine gets.
DKMS_SOURCE := /usr/src/dmafd-$(LIB_VERSION)
.PHONY: dkms-install
dkms-install:
	@[ -n '$(DESTDIR)' ] || command -v dkms >/dev/null || \
		{ echo 'dkms is missing: apt-get install dkms' >&2; exit 1; }
	@rm -rf '$(DESTDIR)$(DKMS_SOURCE)' && mkdir -p '$(DESTDIR)$(DKMS_SOURCE)'
	@tar -c --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
		--exclude='.*' --exclude=modules.order --exclude=Module.symvers \
		drivers LICENSES | tar -x -C '$(DESTDIR)$(DKMS_SOURCE)'
	@sed 's/@VERSION@/$(LIB_VERSION)/' packaging/dkms/dkms.conf.in \
		>'$(DESTDIR)$(DKMS_SOURCE)/dkms.conf'
	@[ -n '$(DESTDIR)' ] || dkms install --force dmafd/$(LIB_VERSION)

# Debian packages, made in a copy; dpkg-buildpackage tells what it misses.
DEB_SOURCE := $(O)/deb/dmafd-$(LIB_VERSION)
.PHONY: deb
deb:
	@rm -rf '$(O)/deb' && mkdir -p '$(DEB_SOURCE)'
	@tar -c --exclude-vcs --exclude=./build --exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*.cmd' . | tar -x -C '$(DEB_SOURCE)'
	@cp -r packaging/debian '$(DEB_SOURCE)/debian'
	@cd '$(DEB_SOURCE)/debian' && for name in changelog copyright; do \
		sed "/SPDX/d; s/@VERSION@/$(LIB_VERSION)/; s/@DATE@/$$(date -R)/" $$name.in >$$name && \
		rm $$name.in; done
	@mkdir '$(DEB_SOURCE)/debian/source' && echo '3.0 (native)' >'$(DEB_SOURCE)/debian/source/format'
	@cd '$(DEB_SOURCE)' && dpkg-buildpackage -us -uc $(DEB_FLAGS)

# In the folder itself, for whoever wants them on this machine.
.PHONY: modules
modules:
	@$(MAKE) -C $(or $(KDIR),/lib/modules/$(shell uname -r)/build) M=$(CURDIR)/drivers modules

.PHONY: clean distclean
clean:
	rm -rf $(filter-out $(O)/cache,$(wildcard $(O)/*))
distclean:
	rm -rf $(O)
