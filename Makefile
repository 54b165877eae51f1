# segmentd: real-time user segmentation on Kafka.
#
#   make && make check          build it, prove it
#   make help                   what else there is
#
# A setting is given on the command line: make CC=clang, make V=1 (whole
# commands), make B=/tmp/x (another build folder).  Four settings make a variant
# of the build in a folder of its own: FAILPOINTS=1 can be told to die at a
# named place; MUTATIONS=1 to break a rule of the protocol; STATE_VERSION=3
# writes and reads records of a version to come; SANITIZE=address | thread | fuzzer is watched by a sanitizer.

# The architecture: layers, bottom first.  A folder includes itself, folders
# named before it, and <seg/...>.  `make lint` holds every #include to this.
LIB_LAYERS    := lib/base lib/event lib/user lib/segment lib/engine
DAEMON_LAYERS := daemon/base daemon/protocol daemon/kafka daemon/partition \
                 daemon/worker daemon/redis daemon/http daemon

CC      ?= cc
CXX     ?= c++
PREFIX  ?= /usr/local
ETC     ?= /etc
B       ?= build
CFLAGS  ?= -O2 -g

SAN_address := -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_thread  := -fsanitize=thread
SAN_fuzzer  := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function -fno-sanitize-recover=all
ifneq ($(SANITIZE),)
SAN := $(or $(SAN_$(SANITIZE)),$(error SANITIZE is address, thread or fuzzer))
CFLAGS := -O1 -g -fno-omit-frame-pointer
override B := $(B)/$(SANITIZE)
endif
ifeq ($(SANITIZE),fuzzer)
CC := clang
CXX := clang++
endif
ifneq ($(FAILPOINTS),)
override B := $(B)/failpoints
endif
ifneq ($(STATE_VERSION),)
override B := $(B)/state$(STATE_VERSION)
endif
ifneq ($(MUTATIONS),)
override B := $(B)/mutations
endif

WARN     := -Wall -Wextra -Wshadow -Wpointer-arith -Wwrite-strings -Wvla \
            -Wundef -Wformat=2 $(if $(filter true,$(CI)),-Werror)
WARN_C   := -Wstrict-prototypes -Wmissing-prototypes
DEFINE   := -D_GNU_SOURCE $(if $(FAILPOINTS),-DSEGMENTD_FAILPOINTS) \
            $(if $(MUTATIONS),-DPROTOCOL_MUTATIONS=) \
            $(if $(STATE_VERSION),-DSEG_STATE_VERSION=$(STATE_VERSION))
COMMON    = -I. -Iinclude $(CPPFLAGS) $(DEFINE) $(WARN) -MMD -MP $(CFLAGS) $(SAN)
COMPILE   = $(CC) -std=c11 $(WARN_C) $(COMMON)
COMPILE_X = $(CXX) -std=c++17 -fno-exceptions -fno-rtti $(COMMON)
LINK      = $(CC) $(CFLAGS) $(SAN) $(LDFLAGS)

# C++ is confined to single files behind C headers, hence -lstdc++ and no CXX
# when linking.
LIB_LDLIBS    := -ljansson -lsimdjson -lre2 -lutf8proc -lxxhash -lstdc++ -lm
DAEMON_LDLIBS := -lrdkafka -lhiredis -levent
CHECK_LDLIBS  := -lcheck -lsubunit -lrt

# One job per processor, unless the caller chose.
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc) --no-print-directory
endif

# say KIND: one short line per step; V=1 shows the command itself.
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)

to_objects = $(patsubst %,$(B)/%.o,$(basename $(1)))
objects    = $(call to_objects,$(foreach d,$(1),$(wildcard $(d)/*.c $(d)/*.cc)))
LIB    := $(call objects,$(LIB_LAYERS))
BASE   := $(call objects,lib/base)
DAEMON := $(call objects,$(DAEMON_LAYERS))
CTL    := $(call objects,daemon/ctl)
INSIDE := $(filter-out %/main.o,$(DAEMON) $(CTL))
# What segmentctl shares with segmentd, and nothing else of it: reset restores
# as the daemon does.
CTL_SHARED := $(filter $(B)/daemon/base/% $(B)/daemon/protocol/% $(B)/daemon/kafka/%,$(INSIDE))

# Test programs: every tests/<folder>/check_*.c (a Check suite) and every other
# file there with a main() of its own.  The rest of the folder is linked with
# each program of that folder, tests/support with all of them.  They see the
# insides: objects, not libseg.a.  Only tests/example stands outside, like any
# user of the library, tests/fuzz is built by clang (see fuzz), and tests/demo
# needs less than a test.
TEST_C    := $(filter-out tests/example/% tests/fuzz/% tests/demo/%,$(wildcard tests/*/*.c))
A_MAIN    := ^int main(
HAS_MAIN  := $(if $(TEST_C),$(shell grep -l '$(A_MAIN)' $(TEST_C)))
PROGRAM_C := $(sort $(HAS_MAIN) $(foreach f,$(TEST_C),$(if $(filter check_%,$(notdir $f)),$f)))
SHARED_C  := $(filter-out $(PROGRAM_C),$(TEST_C))
# A program that never names daemon/, nor the simulated one, is built without it.
TEST_SEES_DAEMON := $(if $(TEST_C),$(shell grep -lE '^.include "(daemon/|tests/support/sim_)' $(TEST_C)))
# A program that makes memory run out: its allocations go through tests/support/fail_alloc.c.
TEST_FAILS_ALLOC := $(if $(TEST_C),$(shell grep -l '^.include "tests/support/fail_alloc.h"' $(TEST_C)))
FAIL_ALLOC := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc
PROGRAMS  := $(patsubst %.c,$(B)/%,$(PROGRAM_C))
EXAMPLES  := $(patsubst %.c,$(B)/%,$(wildcard tests/example/*.c))
# Manual pages and completions are made from the tables, see config/manual/manual.c.
MANUAL    := $(patsubst %.in,$(B)/%,$(wildcard config/manual/*.in))
DEMO      := $(patsubst %.c,$(B)/%,$(wildcard tests/demo/*.c))

.DEFAULT_GOAL := all

all: ## segmentd, segmentctl, libseg.a and the manual, under build/
all: $(if $(wildcard daemon/main.c),$(B)/segmentd) $(if $(CTL),$(B)/segmentctl) $(if $(LIB),$(B)/libseg.a) $(MANUAL)

# Every object is made again when the command that makes objects changed.
ifeq ($(filter help clean,$(MAKECMDGOALS)),)
$(shell mkdir -p $(B); echo '$(COMPILE) $(COMPILE_X)' >$(B)/flags.new; \
        cmp -s $(B)/flags.new $(B)/flags && rm $(B)/flags.new || mv $(B)/flags.new $(B)/flags)
endif

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(if $(COVERAGE),rm -f $(@:.o=.gcda) &&) $(COMPILE) $(COVERAGE) -c -o $@ $<

# Of the oracle of tests/model it is counted what runs, see branches.sh there.
MODEL_COVERAGE := $(if $(SANITIZE)$(findstring clang,$(CC)),,--coverage)
$(filter $(B)/tests/model/oracle% $(B)/tests/model/naive%,$(call to_objects,$(TEST_C))): COVERAGE := $(MODEL_COVERAGE)

$(B)/%.o: %.cc $(B)/flags
	@mkdir -p $(@D)
	$(call say,CXX,$<)$(COMPILE_X) -c -o $@ $<

# RE2 throws when there is no memory: regex.cc catches that.
$(B)/lib/segment/regex.o: COMPILE_X += -fexceptions

# Only seg_* leaves the library.  Every other symbol is made local: the daemon
# cannot reach past <seg/...> even by accident.
$(B)/libseg.a: $(LIB)
	$(call say,LIB,$@)$(LD) -r -o $(B)/libseg.o $^ && \
	objcopy --wildcard --keep-global-symbol='seg_*' $(B)/libseg.o && \
	rm -f $@ && $(AR) rcs $@ $(B)/libseg.o

# Thin archives of plain objects: a program takes from them what it needs.
define archive
$(1): $(2)
	@mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcsT $$@ $$^
endef
$(eval $(call archive,$(B)/base.a,$(BASE)))
$(eval $(call archive,$(B)/lib.a,$(LIB)))
$(eval $(call archive,$(B)/inside.a,$(INSIDE)))
$(eval $(call archive,$(B)/support.a,$(call to_objects,$(filter tests/support/%,$(SHARED_C)))))

# Where libseg keeps a rule of the protocol, it is broken from outside: files of
# tests/mutant, which have the same names, take the place of others.
MUTANTS := $(if $(MUTATIONS),$(call to_objects,$(filter-out %/check_mutants.c %/sim_world.c,$(wildcard tests/mutant/*.c))))
MUTATED := $(patsubst $(B)/tests/mutant/%,$(B)/daemon/protocol/%,$(MUTANTS)) \
           $(patsubst $(B)/tests/mutant/%,$(B)/daemon/partition/%,$(MUTANTS))

$(B)/segmentd: $(MUTANTS) $(filter-out $(MUTATED),$(DAEMON)) $(if $(MUTATIONS),$(B)/lib.a,$(B)/libseg.a) $(B)/base.a
	$(call say,LINK,$@)$(LINK) -o $@ $^ $(DAEMON_LDLIBS) $(LIB_LDLIBS) -lpthread

$(B)/segmentctl: $(CTL) $(CTL_SHARED) $(B)/libseg.a $(B)/base.a
	$(call say,LINK,$@)$(LINK) -o $@ $^ -lrdkafka -levent $(LIB_LDLIBS) -lpthread

$(B)/config/manual/manual: $(B)/config/manual/manual.o
	$(call say,LINK,$@)$(LINK) -o $@ $^

$(MANUAL): $(B)/%: %.in $(B)/config/manual/manual
	$(call say,MAN,$@)$(B)/config/manual/manual <$< >$@

with_shared = $(1) $(filter-out tests/support/%,$(filter $(dir $(1))%,$(SHARED_C)))
define test_program
$(B)/$(basename $(1)): $(call to_objects,$(call with_shared,$(1))) $(B)/support.a \
                       $(if $(filter $(call with_shared,$(1)),$(TEST_SEES_DAEMON)),$(B)/inside.a) $(B)/lib.a
	$$(call say,LINK,$$@)$(LINK) $(if $(filter $(1),$(TEST_FAILS_ALLOC)),$(FAIL_ALLOC)) $(if $(filter tests/model/%,$(1)),$(MODEL_COVERAGE)) -o $$@ $$^ $(CHECK_LDLIBS) $(DAEMON_LDLIBS) $(LIB_LDLIBS) -lpthread
endef
$(foreach p,$(PROGRAM_C),$(eval $(call test_program,$(p))))

# Nothing but the public headers and the archive.
$(EXAMPLES): $(B)/%: %.c $(B)/libseg.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) -std=c11 -Iinclude $(WARN) $(WARN_C) $(CFLAGS) $(SAN) -MMD -MP -o $@ $< $(B)/libseg.a $(LIB_LDLIBS)

# Neither Check nor anything else that only tests need.
$(DEMO): $(B)/%: $(B)/%.o $(B)/libseg.a $(B)/base.a
	$(call say,LINK,$@)$(LINK) -o $@ $^ -lrdkafka $(LIB_LDLIBS) -lpthread

tests: ## all test programs, without running them
tests: $(PROGRAMS) $(EXAMPLES)

deps: ## install what building and the demo need (apt)
	@tests/support/deps.sh install build

deps-check: ## install what `make check` needs as well, the test broker included
	@tests/support/deps.sh install build kafka check bench
	@tests/support/kafka/archive.py
	@tests/support/librdkafka/fetch.sh

demo: ## see it work, without Kafka or a JDK; BROKER=kafka uses the real broker
	@tests/support/deps.sh install build $(BROKER)
	@$(MAKE) all $(DEMO)
	@exec env B=$(B) BROKER=$(BROKER) tests/demo/demo.sh

check: ## every test; T=unit runs one part, T=unit/check_timers one program
	@+B=$(B) MAKE='$(MAKE)' tests/support/check.sh $(T)

faults: ## the whole fault matrix on a real broker, about an hour; ROWS="1 16" some of it
	@+B=$(B) MAKE='$(MAKE)' FAULTS=full tests/support/check.sh $(or $(ROWS:%=fault/%),fault)

soak: ## whatever can happen, in no order, for HOURS=2 on a real broker
	@+B=$(B) MAKE='$(MAKE)' FAULTS='soak --hours $(or $(HOURS),2)' tests/support/check.sh fault

asan tsan fuzz: ## one part of check: a sanitizer's build; fuzz: new inputs for SECONDS=60 each
	@+B=$(B) MAKE='$(MAKE)' FUZZ_SECONDS=$(or $(SECONDS),60) tests/support/check.sh $@

# The programs of tests/fuzz, for SANITIZE=fuzzer.
fuzz-programs: $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/support.a $(B)/inside.a $(B)/lib.a
	$(call say,LINK,$@)$(LINK) -fsanitize=fuzzer -o $@ $^ $(DAEMON_LDLIBS) $(LIB_LDLIBS) -lpthread

bench: ## CPU time per event against a bare consumer, and bytes per user
	@tests/support/deps.sh install build kafka bench
	@$(MAKE) all $(filter $(B)/tests/bench/%,$(PROGRAMS))
	@B=$(B) tests/bench/bench.py

lint: ## the rules a compiler does not know
	@$(if $(LIB),$(MAKE) $(B)/libseg.a &&) built=yes; \
	CC='$(CC)' WARN='$(WARN) $(WARN_C)' tests/lint.sh $(B) $(LIB_LAYERS) -- $(DAEMON_LAYERS) && [ "$$built" ]

format: ## clang-format over the sources; tables are aligned by hand
	clang-format -i $$(find lib daemon include tests -name '*.[ch]' ! -name '*_table.h')

install: ## into $(DESTDIR)$(PREFIX), and $(ETC)/segmentd if there is none
install: all
	install -D -m 755 $(B)/segmentd   $(DESTDIR)$(PREFIX)/sbin/segmentd
	install -D -m 755 $(B)/segmentctl $(DESTDIR)$(PREFIX)/bin/segmentctl
	install -D -m 644 $(B)/libseg.a   $(DESTDIR)$(PREFIX)/lib/libseg.a
	install -d $(DESTDIR)$(PREFIX)/include/seg $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 644 include/seg/*.h $(DESTDIR)$(PREFIX)/include/seg
	install -D -m 644 systemd/segmentd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/segmentd.conf
	install -d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(ETC)/segmentd/segments
	sed 's|/usr/local/|$(PREFIX)/|' systemd/segmentd.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/segmentd.service
	sed 's|/usr/local/|$(PREFIX)/|' systemd/segmentd.tmpfiles >$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/segmentd.conf
	for file in $$(cd config && find . -type f); do \
	    install -D -m 644 config/$$file $(DESTDIR)$(PREFIX)/share/segmentd/$$file || exit 1; done
	test -e $(DESTDIR)$(ETC)/segmentd/segmentd.conf || \
	    install -m 640 config/segmentd.conf $(DESTDIR)$(ETC)/segmentd/segmentd.conf
	for page in $(filter %.1 %.5 %.8,$(MANUAL)); do \
	    install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; done
	install -D -m 644 $(B)/config/manual/segmentctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/segmentctl
	install -D -m 644 $(B)/config/manual/segmentctl.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_segmentctl

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z -]*\): ## \(.*\)/  make \1 @\2/p' Makefile | awk -F@ '{ printf "%-20s %s\n", $$1, $$2 }'

.PHONY: all tests deps deps-check demo check faults soak asan tsan fuzz fuzz-programs bench lint format install clean help
.SECONDARY:
.DELETE_ON_ERROR:
-include $(patsubst %.o,%.d,$(LIB) $(DAEMON) $(CTL) $(B)/config/manual/manual.o $(call to_objects,$(TEST_C) $(wildcard tests/fuzz/*.c))) $(EXAMPLES:=.d) $(DEMO:=.d)
