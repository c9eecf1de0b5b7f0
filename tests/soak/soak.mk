# The pair under a steady load for SOAK_MINUTES (30), with a verdict: see tests/soak/soak.c.
SOAK_OBJS := $(call obj,tests/soak/soak.c tests/net/meter.c tests/net/traffic.c tests/fault/rig.c \
             tests/fault/book.c tests/fault/checker.c)
$(OUT)/soak: $(SOAK_OBJS) $(FAULT_LIB) $(call seen,gate)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,gate) -lsqlite3 -ljwt -lcjson $(LIBS_unit)
.PHONY: soak
soak: $(OUT)/soak $(OUT)/fault_handler programs
	TASKER_BIN=$(OUT)/bin FAULT_HANDLER=$(OUT)/fault_handler $(OUT)/soak $(SOAK_MINUTES)
