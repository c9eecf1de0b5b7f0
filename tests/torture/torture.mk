# Torture: every allocation and every fallible call of ours fails once, on the request path of both
# daemons, in what starts them, in the store and the runner. `torture` takes all of it, with every
# algorithm and with failures that last; `torture-short` is the part of `make check`. TORTURE_SITES
# names a file that collects where something failed.
TORTURE_FILES := tests/torture/daemon_thread.c tests/torture/sweep.c tests/torture/library.c tests/torture/test_requests.c \
                 tests/torture/test_start.c tests/lib/wire.c tests/lib/token_maker.c
TORTURE_orchestration := $(addprefix tests/torture/,shape_orchestration.c test_store.c test_keys.c test_reload.c) \
                         tests/unit/orchestration/lab.c tests/lib/issuer.c
TORTURE_worker        := $(addprefix tests/torture/,shape_worker.c test_runner.c test_link.c) \
                         tests/unit/worker/rig.c tests/unit/worker/fake_orchestration.c

$(call obj,tests/torture/test_requests.c tests/torture/test_start.c): CFLAGS_ALL += -DSUITES='"tests/torture/suites_orchestration.def"'

define torture_rule
$(call obj,$(filter tests/torture/%,$(TORTURE_$(1)))): CFLAGS_ALL += -DSUITES='"tests/torture/suites_$(1).def"'
$(OUT)/tests/torture/main_$(1).o: tests/unit/main.c tests/torture/suites_$(1).def
	$$(call do,cc) $(CC) $$(CFLAGS_ALL) -DSUITES='"tests/torture/suites_$(1).def"' -c $$< -o $$@
$(OUT)/torture_$(1): $(OUT)/tests/torture/main_$(1).o $(call obj,$(TORTURE_FILES) $(TORTURE_$(1)) $(OWN_$(1))) $(call seen,$(1)) $(FAULT)
	$$(call do,link) $(CC) $(LINK_ALL) $(WRAP) $$^ -o $$@ $(call libs,$(1)) $(LIBS_$(1)) $(LIBS_unit)
endef
TORTURES := orchestration worker
$(foreach t,$(TORTURES),$(eval $(call torture_rule,$(t))))

RUN_TORTURES = $(foreach t,$(TORTURES),$(SANE) $(OUT)/torture_$(t) &&) true
.PHONY: torture torture-short torture-imports
torture-short: $(TORTURES:%=$(OUT)/torture_%) $(OUT)/bin/tasker-exec $(OUT)/chaos_handler
	$(RUN_TORTURES)
torture: $(TORTURES:%=$(OUT)/torture_%) $(OUT)/bin/tasker-exec $(OUT)/chaos_handler
	@rm -rf $(OUT)/sites && mkdir -p $(OUT)/sites
	export TORTURE_ALL=1; $(foreach t,$(TORTURES),TORTURE_SITES=$(OUT)/sites/torture_$(t) $(SANE) $(OUT)/torture_$(t) &&) true
	tests/torture/modules.sh $(OUT) $(OUT)/sites
# The tables against what a release build really takes from elsewhere.
torture-imports: programs
	tests/torture/imports.sh $(OUT)
CHECK_PARTS  += torture-imports torture-short
CHECK_BUILDS += $(TORTURES:%=$(OUT)/torture_%)
SANE_PARTS   += torture-short
SANE_BUILDS  += $(TORTURES:%=$(OUT)/torture_%)
