# The network: a link that misbehaves, hostile and slow clients, overload. `make net` runs all of it
# (NET_LONG=1), `net-short` is the part of `make check`.
NET_OBJS := $(call obj,$(filter-out tests/net/overload.c,$(wildcard tests/net/*.c)) tests/fault/rig.c \
            tests/fault/book.c tests/fault/checker.c tests/fault/load.c)
$(OUT)/net: $(OUT)/tests/net/main.o $(NET_OBJS) $(FAULT_LIB) $(call seen,gate)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,gate) -lsqlite3 -ljwt -lcjson $(LIBS_unit)
$(OUT)/tests/net/main.o: tests/unit/main.c tests/net/suites.def
	$(call do,cc) $(CC) $(CFLAGS_ALL) -DSUITES='"tests/net/suites.def"' -c $< -o $@
$(call obj,$(wildcard tests/net/*.c)): CFLAGS_ALL += -DSUITES='"tests/net/suites.def"'

# Twice the creates that the store can take; prints JSON.
OVERLOAD_OBJS := $(call obj,tests/net/overload.c tests/net/offer.c tests/net/meter.c tests/fault/checker.c tests/fault/book.c)
$(OUT)/overload: $(OVERLOAD_OBJS) $(FAULT_LIB) $(call seen,gate)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,gate) -lsqlite3 -ljwt -lcjson $(LIBS_unit)
.PHONY: overload
overload: $(OUT)/overload $(OUT)/fault_handler programs
	TASKER_BIN=$(OUT)/bin FAULT_HANDLER=$(OUT)/fault_handler $(OUT)/overload $(OVERLOAD_SECONDS)

RUN_NET = TASKER_BIN=$(OUT)/bin FAULT_HANDLER=$(OUT)/fault_handler $(OUT)/net
# Mostly they wait, so they run side by side.
NET_SHORT := $(filter-out SUITE,$(shell tr '()' '  ' <tests/net/suites.def))
.PHONY: net net-short
net: $(OUT)/net $(OUT)/fault_handler programs
	NET_LONG=1 $(RUN_NET)
net-short: $(OUT)/net $(OUT)/fault_handler programs
	TASKER_BIN=$(OUT)/bin FAULT_HANDLER=$(OUT)/fault_handler tests/fault/run.sh $(OUT)/net $(NET_SHORT)
CHECK_PARTS  += net-short
CHECK_BUILDS += $(OUT)/net $(OUT)/fault_handler
