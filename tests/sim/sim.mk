# The store's rules in a world of their own: tests/sim/world.h. `sim` lives through SIM_SEEDS seeds
# (make sim SIM_SEEDS=100000), SIM_SEED=n through one and tells of it; sim-short is the part of
# `make check`: ten thousand seeds, and the proof that the judge sees what is broken.
SIM_OBJS := $(call obj,$(filter-out tests/sim/main.c tests/sim/test_%.c,$(wildcard tests/sim/*.c)) \
            $(wildcard orchestration/engine/*.c orchestration/policy/*.c orchestration/store/*.c) \
            $(call sources,template)) $(call seen,security)
SIM_WRAP := -Wl,--wrap=rand_bytes,--wrap=rand_u64
SIM_LIBS := $(call libs,security) $(LIBS_template) $(LIBS_orchestration)
$(OUT)/sim: $(call obj,tests/sim/main.c) $(SIM_OBJS)
	$(call do,link) $(CC) $(LINK_ALL) $(SIM_WRAP) $^ -o $@ $(SIM_LIBS)

.PHONY: sim
sim: $(OUT)/sim
	$(OUT)/sim

$(call obj,tests/sim/test_sim.c): CFLAGS_ALL += -DSUITES='"tests/sim/suites.def"'
$(OUT)/tests/sim/test_main.o: tests/unit/main.c tests/sim/suites.def
	$(call do,cc) $(CC) $(CFLAGS_ALL) -DSUITES='"tests/sim/suites.def"' -c $< -o $@
$(OUT)/sim_test: $(OUT)/tests/sim/test_main.o $(call obj,tests/sim/test_sim.c) $(SIM_OBJS)
	$(call do,link) $(CC) $(LINK_ALL) $(SIM_WRAP) $^ -o $@ $(SIM_LIBS) $(LIBS_unit)
.PHONY: sim-proof sim-short sim-sane
sim-proof: $(OUT)/sim_test
	$(SANE) $(OUT)/sim_test
sim-short: $(OUT)/sim sim-proof
	SIM_SEED= SIM_SEEDS=10000 $(OUT)/sim
sim-sane: $(OUT)/sim sim-proof
	SIM_SEED= SIM_SEEDS=300 $(SANE) $(OUT)/sim
CHECK_PARTS  += sim-short
CHECK_BUILDS += $(OUT)/sim $(OUT)/sim_test
SANE_PARTS   += sim-sane
SANE_BUILDS  += $(OUT)/sim $(OUT)/sim_test
