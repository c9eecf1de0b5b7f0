# Faults: real daemons killed at random, judged by a checker of its own. FAULT_KILLS says how often
# each daemon dies, FAULT_SEED repeats a run's choices; `fault-short` is the part of `make check`.
FAULT_OBJS := $(call obj,$(filter-out tests/fault/handler.c,$(wildcard tests/fault/*.c)))
FAULT_LIB  := $(call obj,tests/e2e/pair.c tests/lib/daemon.c tests/lib/wire.c tests/lib/token_maker.c \
              orchestration/engine/state.c)
$(FAULT_OBJS): CFLAGS_ALL += -DSUITES='"tests/fault/suites.def"'
$(OUT)/fault: $(OUT)/tests/fault/main.o $(FAULT_OBJS) $(FAULT_LIB) $(call seen,gate)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,gate) -lsqlite3 -ljwt -lcjson $(LIBS_unit)
$(OUT)/tests/fault/main.o: tests/unit/main.c tests/fault/suites.def
	$(call do,cc) $(CC) $(CFLAGS_ALL) -DSUITES='"tests/fault/suites.def"' -c $< -o $@
$(OUT)/fault_handler: $(call obj,tests/fault/handler.c) $(call seen,base)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,base)

RUN_FAULT = TASKER_BIN=$(OUT)/bin FAULT_HANDLER=$(OUT)/fault_handler $(SANE) $(OUT)/fault
.PHONY: fault fault-short
fault: $(OUT)/fault $(OUT)/fault_handler programs
	FAULT_KILLS=$(or $(FAULT_KILLS),20) $(RUN_FAULT)
fault-short: $(OUT)/fault $(OUT)/fault_handler programs
	FAULT_KILLS=3 $(RUN_FAULT)
CHECK_PARTS  += fault-short
CHECK_BUILDS += $(OUT)/fault $(OUT)/fault_handler
SANE_PARTS   += fault-short
SANE_BUILDS  += $(OUT)/fault $(OUT)/fault_handler
