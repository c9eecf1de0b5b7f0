# Tests: one Check binary a folder, linked with what that folder may see and nothing else, so the
# link proves the layering. tests/unit/<area>/suites.def lists its suites, test_*.c beside it.
AREAS := $(notdir $(patsubst %/,%,$(dir $(wildcard tests/unit/*/suites.def))))
WRAP  := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup

SEES_orchestration := $(SEES_daemon)
SEES_worker        := $(SEES_daemon)
OWN_orchestration  := $(ORCH)
OWN_worker         := $(WORKER)
OWN_ctl            := $(CTL)
LIBS_unit          := -lcheck -lsubunit -lrt -lpthread -lm

$(OUT)/tests/unit/%/main.o: tests/unit/main.c tests/unit/%/suites.def
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -DSUITES='"tests/unit/$*/suites.def"' -c $< -o $@

define unit_rule
$(call obj,$(wildcard tests/unit/$(1)/*.c)): CFLAGS_ALL += -DSUITES='"tests/unit/$(1)/suites.def"'
$(OUT)/unit_$(1): $(OUT)/tests/unit/$(1)/main.o $(call obj,tests/unit/fault.c $(wildcard tests/unit/$(1)/*.c) $(OWN_$(1))) $(call seen,$(1))
	$(CC) $(LINK_ALL) $(WRAP) $$^ -o $$@ $(call libs,$(1)) $(if $(OWN_$(1)),$(LIBS_$(1))) $(LIBS_unit)
.PHONY: unit-$(1)
unit-$(1): $(OUT)/unit_$(1)
	$(OUT)/unit_$(1)
endef
$(foreach area,$(AREAS),$(eval $(call unit_rule,$(area))))

.PHONY: unit
unit: $(AREAS:%=$(OUT)/unit_%)
	@for a in $(AREAS); do $(OUT)/unit_$$a || exit 1; done

# Fuzz targets: tests/fuzz/fuzz_<name>.c; its line `// sees: <folder>` (default base) picks what it links.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_sees = $(or $(shell sed -n 's,^/\* sees: \([a-z]*\) \*/$$,\1,p' tests/fuzz/fuzz_$(1).c),base)
define fuzz_rule
$(OUT)/replay_$(1): $(call obj,tests/fuzz/replay.c tests/fuzz/fuzz_$(1).c) $(call seen,$(call fuzz_sees,$(1))) $(call obj,$(OWN_$(call fuzz_sees,$(1))))
	$(CC) $(LINK_ALL) $$^ -o $$@ $(call libs,$(call fuzz_sees,$(1)))
$(OUT)/fuzz_$(1): $(call obj,tests/fuzz/fuzz_$(1).c) $(call seen,$(call fuzz_sees,$(1))) $(call obj,$(OWN_$(call fuzz_sees,$(1))))
	$(CC) $(LINK_ALL) -fsanitize=fuzzer $$^ -o $$@ $(call libs,$(call fuzz_sees,$(1)))
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rule,$(f))))

.PHONY: replay fuzz
replay: $(FUZZERS:%=$(OUT)/replay_%)
	@for f in $(FUZZERS); do $(OUT)/replay_$$f tests/fuzz/corpus/$$f/* || exit 1; done
FUZZ_SECONDS ?= 10
fuzz:
	$(MAKE) PROFILE=fuzz CC=clang fuzz-run
.PHONY: fuzz-run
fuzz-run: $(FUZZERS:%=$(OUT)/fuzz_%)
	@for f in $(FUZZERS); do mkdir -p build/corpus/$$f; \
	  $(OUT)/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 build/corpus/$$f tests/fuzz/corpus/$$f || exit 1; done
