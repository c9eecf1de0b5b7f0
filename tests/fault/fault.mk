# Faults: real daemons killed at random and at named points, put to sleep, moved in time and flooded,
# judged by a checker of its own. `fault` is the whole of it, `fault-short` the part of `make check`;
# what FAULT_* means stands at the top of each test_*.c.
FAULT_OBJS := $(call obj,$(filter-out tests/fault/handler.c tests/fault/preload%,$(wildcard tests/fault/*.c)))
FAULT_LIB  := $(call obj,tests/e2e/pair.c tests/lib/daemon.c tests/lib/wire.c tests/lib/token_maker.c \
              orchestration/engine/state.c)
$(FAULT_OBJS): CFLAGS_ALL += -DSUITES='"tests/fault/suites.def"'
$(OUT)/fault: $(OUT)/tests/fault/main.o $(FAULT_OBJS) $(FAULT_LIB) $(call seen,gate)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,gate) -lsqlite3 -ljwt -lcjson $(LIBS_unit)
$(OUT)/tests/fault/main.o: tests/unit/main.c tests/fault/suites.def
	$(call do,cc) $(CC) $(CFLAGS_ALL) -DSUITES='"tests/fault/suites.def"' -c $< -o $@
$(OUT)/fault_handler: $(call obj,tests/fault/handler.c) $(call seen,base)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,base)
# What stands between a daemon and its libraries; only tests load it.
$(OUT)/fault_preload.so: $(wildcard tests/fault/preload*) tests/fault/points.def
	$(call do,link) $(CC) $(filter-out -MMD -MP -fPIE -fsanitize%,$(CFLAGS_ALL)) -U_FORTIFY_SOURCE \
	  -fPIC -shared $(filter %.c,$^) -o $@ -ldl

FAULT_BUILDS := $(OUT)/fault $(OUT)/fault_handler $(OUT)/fault_preload.so
RUN_FAULT = TASKER_BIN=$(OUT)/bin FAULT_HANDLER=$(OUT)/fault_handler FAULT_PRELOAD=$(OUT)/fault_preload.so
SUITES_OF_FAULT = $(SANE) tests/fault/run.sh $(OUT)/fault
POINT_SHARDS   := 0/3 1/3 2/3
# A sanitizer's runtime must be loaded first, and its memory is no measure.
FAULT_SHORT    := checker fencing crash storm $(if $(filter asan tsan,$(PROFILE)),,points clock signals)
.PHONY: fault fault-short
# What counts milliseconds goes alone; the rest, which mostly waits, side by side. In the short form
# everything does, on a machine that may be busy: there bounds are three times as wide.
ifneq ($(FAULT_POINT),)
fault: $(FAULT_BUILDS) programs
	$(RUN_FAULT) $(SUITES_OF_FAULT) points
else
fault: $(FAULT_BUILDS) programs
	$(RUN_FAULT) FAULT_KILLS=$(or $(FAULT_KILLS),50) FAULT_STORED=$(or $(FAULT_STORED),100000) $(SUITES_OF_FAULT) storm
	$(RUN_FAULT) FAULT_FLOOD_MS=10000 $(SUITES_OF_FAULT) flood
	$(RUN_FAULT) FAULT_CANCELS=50 FAULT_ZOMBIE_S=60 FAULT_STOPS=15 $(SUITES_OF_FAULT) crash checker fencing clock signals
	$(RUN_FAULT) $(SUITES_OF_FAULT) $(POINT_SHARDS:%=points:FAULT_SHARD=%)
endif
fault-short: $(FAULT_BUILDS) programs
	$(RUN_FAULT) $(if $(filter asan tsan,$(PROFILE)),,TIME_SCALE=3) FAULT_POINTS=6 FAULT_CLOCK_MS=500 FAULT_KILLS=3 $(SUITES_OF_FAULT) $(FAULT_SHORT)
CHECK_PARTS  += fault-short
CHECK_BUILDS += $(FAULT_BUILDS)
SANE_PARTS   += fault-short
SANE_BUILDS  += $(FAULT_BUILDS)
