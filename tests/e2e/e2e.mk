# End to end: real daemons on loopback, one Check binary. TASKER_BIN says where the programs are.
E2E_OBJS := $(call obj,$(wildcard tests/e2e/*.c) $(filter-out tests/lib/chaos_handler.c,$(wildcard tests/lib/*.c)))
$(E2E_OBJS): CFLAGS_ALL += -DSUITES='"tests/e2e/suites.def"'
$(OUT)/e2e: $(OUT)/tests/e2e/main.o $(E2E_OBJS) $(call seen,gate)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,gate) -ljwt -lcjson -lsqlite3 $(LIBS_unit)
$(OUT)/tests/e2e/main.o: tests/unit/main.c tests/e2e/suites.def
	$(call do,cc) $(CC) $(CFLAGS_ALL) -DSUITES='"tests/e2e/suites.def"' -c $< -o $@
.PHONY: e2e
e2e: $(OUT)/e2e programs
	TASKER_BIN=$(OUT)/bin $(SANE) $(OUT)/e2e
# `make demo DEMO=once`, but for what it installs and builds.
.PHONY: demo-test
demo-test: programs
	$(SANE) tests/e2e/demo_test.sh $(OUT)/bin
CHECK_PARTS  += e2e demo-test
CHECK_BUILDS += $(OUT)/e2e
SANE_PARTS   += e2e demo-test
SANE_BUILDS  += $(OUT)/e2e
