# Tests: one Check binary a folder, linked with what that folder may see and nothing else, so the
# link proves the layering. tests/unit/<area>/suites.def lists its suites, test_*.c beside it.
AREAS := $(notdir $(patsubst %/,%,$(dir $(wildcard tests/unit/*/suites.def))))
# What may fail on demand, here and in tests/torture: allocations, and the calls of calls_*.def, an
# object a library, of which a link takes those it needs.
comma := ,
CALLS := $(wildcard tests/torture/calls_*.def)
WRAP  := $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc reallocarray strdup strndup \
         $(shell sed -nE 's/^CALL.[^,]*, *([A-Za-z0-9_]+),.*/\1/p' $(CALLS)))
FAULT := $(OUT)/libfault.a
FAULT_PARTS := $(call obj,tests/unit/fault.c $(wildcard tests/torture/calls_*.c))
# A sanitizer's own calls are wrapped too, from before it has begun.
$(FAULT_PARTS): CFLAGS_ALL += $(if $(filter asan tsan,$(PROFILE)),-fno-sanitize=all)
$(FAULT): $(FAULT_PARTS)
	$(call do,ar) rm -f $@ && ar rcs $@ $^

SEES_orchestration := $(SEES_daemon)
SEES_worker        := $(SEES_daemon)
OWN_orchestration  := $(ORCH)
OWN_worker         := $(WORKER)
OWN_ctl            := $(CTL)
LIBS_unit          := -lcheck -lsubunit -lrt -lpthread -lm
# What an area's tests need beyond what the area itself links.
LIBS_unit_base     := -lcjson
LIBS_unit_security := -ljwt -lcjson
# Files of tests/lib that an area's tests share with others.
LIB_unit_security  := tests/lib/token_maker.c tests/lib/issuer.c
LIB_unit_daemon    := tests/lib/daemon.c
LIB_unit_gate      := tests/lib/token_maker.c
LIB_unit_http      := $(addprefix tests/lib/,probes.c certificates.c tls_peer.c wire.c)
LIB_unit_ctl       := tests/unit/fetch/peer.c tests/lib/token_maker.c tests/lib/issuer.c

$(OUT)/tests/unit/%/main.o: tests/unit/main.c tests/unit/%/suites.def
	$(call do,cc) $(CC) $(CFLAGS_ALL) -DSUITES='"tests/unit/$*/suites.def"' -c $< -o $@

define unit_rule
$(call obj,$(wildcard tests/unit/$(1)/*.c)): CFLAGS_ALL += -DSUITES='"tests/unit/$(1)/suites.def"'
$(OUT)/unit_$(1): $(OUT)/tests/unit/$(1)/main.o $(call obj,$(wildcard tests/unit/$(1)/*.c) $(LIB_unit_$(1)) $(OWN_$(1))) $(call seen,$(1)) $(FAULT)
	$$(call do,link) $(CC) $(LINK_ALL) $(WRAP) $$^ -o $$@ $(call libs,$(1)) $(if $(OWN_$(1)),$(LIBS_$(1))) $(LIBS_unit_$(1)) $(LIBS_unit)
.PHONY: unit-$(1)
unit-$(1): $(OUT)/unit_$(1)
	$$(SANE) $(OUT)/unit_$(1)
endef
$(foreach area,$(AREAS),$(eval $(call unit_rule,$(area))))

# What an area's tests run beside their own binary: helpers they start.
include $(wildcard tests/unit/*/*.mk)

.PHONY: unit
unit: $(AREAS:%=unit-%)

# Fuzz targets: tests/fuzz/fuzz_<name>.c; its line "/* sees: <folder> */" (default base) picks what it
# links, its corpus is tests/fuzz/corpus/<name>/. Replay runs the corpus without libFuzzer.
FUZZERS   := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_sees  = $(or $(shell sed -n 's,^/\* sees: \([a-z]*\) \*/$$,\1,p' tests/fuzz/fuzz_$(1).c),base)
fuzz_objs  = $(call obj,tests/fuzz/fuzz_$(1).c) $(call seen,$(2)) $(call obj,$(OWN_$(2)))
fuzz_libs  = $(call libs,$(2)) $(if $(OWN_$(2)),$(LIBS_$(2))) $(LIBS_fuzz_$(1))
LIBS_fuzz_json := -lcjson
define fuzz_rule
$(OUT)/replay_$(1): $(call obj,tests/fuzz/replay.c) $(call fuzz_objs,$(1),$(2))
	$$(call do,link) $(CC) $(LINK_ALL) $$^ -o $$@ $(call fuzz_libs,$(1),$(2))
$(OUT)/fuzz_$(1): $(call fuzz_objs,$(1),$(2))
	$$(call do,link) $(CC) $(LINK_ALL) -fsanitize=fuzzer $$^ -o $$@ $(call fuzz_libs,$(1),$(2))
.PHONY: replay-$(1) fuzz-$(1)
replay-$(1): $(OUT)/replay_$(1)
	$(OUT)/replay_$(1) tests/fuzz/corpus/$(1)/*
ifeq ($(PROFILE),fuzz)
fuzz-$(1): $(OUT)/fuzz_$(1)
	@mkdir -p build/corpus/$(1)
	$(OUT)/fuzz_$(1) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 build/corpus/$(1) tests/fuzz/corpus/$(1)
else
fuzz-$(1):
	+$$(MAKE) PROFILE=fuzz CC=clang OUT=build/fuzz-clang $$@
endif
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rule,$(f),$(call fuzz_sees,$(f)))))

FUZZ_SECONDS ?= 10
.PHONY: replay fuzz
replay: $(FUZZERS:%=replay-%)
fuzz:
	+$(MAKE) PROFILE=fuzz CC=clang OUT=build/fuzz-clang $(FUZZERS:%=fuzz-%)

.PHONY: lint tidy format
lint:
	@tests/lint/lint.sh
	@tests/lint/test_lint.sh
tidy: compile_commands.json
	clang-tidy --quiet -p . $(filter %.c,$(PRODUCT))
format:
	clang-format -i $(shell find shared orchestration worker ctl tests -name '*.[ch]' -o -name '*.cpp')

# What `make check` is made of: targets, run one after the other, all of them even if one fails.
# Other folders of tests append theirs in tests/<folder>/*.mk. CHECK_BUILDS is built first, with
# all processors; what fails there fails again, by name, in its part.
CHECK_PARTS  := lint headers $(AREAS:%=unit-%) $(FUZZERS:%=replay-%)
CHECK_BUILDS := programs headers $(AREAS:%=$(OUT)/unit_%) $(FUZZERS:%=$(OUT)/replay_%)
# The same under sanitizers. A part that starts programs of ours does so behind $(SANE), which finds
# what is reported about them; valgrind judges the parts of VALGRIND_PARTS in that way.
SANE_PARTS      := $(AREAS:%=unit-%) $(FUZZERS:%=replay-%)
SANE_BUILDS     := programs $(AREAS:%=$(OUT)/unit_%) $(FUZZERS:%=$(OUT)/replay_%)
VALGRIND_PARTS  := e2e
VALGRIND_BUILDS := programs $(OUT)/e2e
SANE_AS         ?= $(PROFILE)
SANE             = tests/sane.sh $(SANE_AS) $(OUT)
export TSAN_OPTIONS ?= suppressions=$(CURDIR)/tests/tsan.supp:second_deadlock_stack=1
-include $(wildcard tests/*/*.mk)

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# The two steps of a check: build in parallel, then run the parts in turn and add up what they say.
run_parts = +@$(MAKE) -s -k -j$(JOBS) $(1) $(2) >/dev/null 2>&1; MAKE='$(MAKE) $(1)' tests/check.sh $(3)

.PHONY: deps check check-built check-builds sane-builds valgrind-builds asan tsan valgrind ci
check-builds: $(CHECK_BUILDS)
sane-builds: $(SANE_BUILDS)
valgrind-builds: $(VALGRIND_BUILDS)
deps:
	@tests/deps.sh packages.txt packages-dev.txt
# Two makes, because what deps installs must be there when the second one reads this file.
check: deps
	+@$(MAKE) --no-print-directory check-built
check-built:
	$(call run_parts,PROFILE=$(PROFILE) CC=$(CC) OUT=$(OUT),check-builds,$(CHECK_PARTS))
asan tsan:
	$(call run_parts,PROFILE=$@ CC=$(CC) OUT=build/$@-$(notdir $(CC)),sane-builds,$(SANE_PARTS))
valgrind: deps
	$(call run_parts,PROFILE=debug CC=$(CC) OUT=build/debug-$(notdir $(CC)) SANE_AS=valgrind,valgrind-builds,$(VALGRIND_PARTS))
ci: deps
	+@$(MAKE) CC=gcc OUT=build/release-gcc check-built
	+@$(MAKE) CC=clang OUT=build/release-clang check-built
	+@$(MAKE) CC=gcc asan
	+@$(MAKE) CC=clang asan
	+@$(MAKE) CC=clang tsan
	+@$(MAKE) valgrind
	+@$(MAKE) FUZZ_SECONDS=30 fuzz
	+@$(MAKE) distcheck

# Lines and branches that tests run, a folder at a time.
.PHONY: cover
cover:
	find build/cover-gcc -name '*.gcda' -delete 2>/dev/null || true
	+$(MAKE) PROFILE=cover CC=gcc OUT=build/cover-gcc -k unit replay
	@tests/cover.sh build/cover-gcc

.PHONY: compdb hooks dist distcheck help
PRODUCT := $(foreach f,$(SEES_daemon),$(call sources,$(f))) $(ORCH) $(WORKER) $(CTL) \
           $(wildcard orchestration/main.c worker/main.c worker/shim.c ctl/main.c)
compdb: compile_commands.json
compile_commands.json: Makefile tests/tests.mk $(PRODUCT)
	$(file >$@,[$(subst } {,}$(comma)$(newline){,$(foreach f,$(filter %.c,$(PRODUCT)),$(compdb_entry)))])
	@test -s $@
compdb_entry = {"directory": "$(CURDIR)", "file": "$f", "command": "$(subst ",\",$(CC) $(filter-out -ftrivial% -MMD -MP,$(CFLAGS_ALL)) -c $f)"}
define newline


endef
hooks:
	@printf '#!/bin/sh\nexec make --no-print-directory lint headers\n' >.git/hooks/pre-commit
	@chmod +x .git/hooks/pre-commit
dist:
	@mkdir -p build/dist
	git archive --prefix=tasker-$(VERSION)/ -o build/dist/tasker-$(VERSION).tar.gz HEAD
distcheck: dist
	rm -rf build/dist/tasker-$(VERSION)
	tar -C build/dist -xf build/dist/tasker-$(VERSION).tar.gz
	+$(MAKE) -C build/dist/tasker-$(VERSION) OUT=build/dist WERROR=0 -j$(JOBS) all
	+$(MAKE) -C build/dist/tasker-$(VERSION) OUT=build/dist WERROR=0 DESTDIR=$(CURDIR)/build/dist/root install
	build/dist/root$(PREFIX)/bin/tasker-ctl --version

help:
	@echo 'make                build/bin/tasker-orchestration, tasker-worker, tasker-ctl, tasker-exec'
	@echo 'make deps           install what packages.txt and packages-dev.txt list'
	@echo 'make check          every test with one compiler; ends with "N passed, N failed"'
	@echo 'make ci             every test with both compilers and sanitizers, fuzzing, the tarball'
	@echo 'make unit-AREA      one of: $(AREAS)'
	@echo 'make replay-NAME    the corpus of one of: $(FUZZERS)'
	@echo 'make bench          measurements beside peers, docs/performance.md; bench-record writes them there'
	@echo 'make sim            seeded lives of the store in memory (SIM_SEEDS=100000; SIM_SEED=n tells one)'
	@echo 'make fault          both daemons killed at random and at named points, asleep, out of time, flooded'
	@echo 'make net            faults of the network, hostile clients (overload: twice the creates it takes)'
	@echo 'make soak           a steady load for SOAK_MINUTES (30), with a verdict'
	@echo 'make asan tsan       unit tests, corpora, both daemons end to end and fault-short under sanitizers'
	@echo 'make torture         every allocation and fallible call fails once: requests, start, store'
	@echo 'make valgrind        both daemons end to end under valgrind'
	@echo 'make storage         the store on disks that fail by seed or are full (STORAGE_SEED, STORAGE_SEEDS)'
	@echo 'make fuzz cover lint tidy format compdb hooks install dist distcheck clean'
