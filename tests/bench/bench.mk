# Measurements beside peers (docs/performance.md); no part of `make check`. BENCH_ROUNDS rounds of
# BENCH_SECONDS a contender; bench-record writes the table into docs/performance.md.
BENCH_SECONDS ?= 3
BENCH_ROUNDS  ?= 3
BENCH_DIR     ?= $(OUT)/bench
# The most tasks that the growth of the store is measured up to.
BENCH_GROWTH  ?= 1000000
BENCH_NAMES   := tokens latency sink verify store growth noop
BENCH_BINS    := $(BENCH_NAMES:%=$(OUT)/bench_%)
BENCH_CLIENTS := $(call obj,tests/bench/bench_client.c tests/lib/wire.c tests/lib/token_maker.c)
BENCH_STORES  := $(call obj,tests/bench/bench_engine.c tests/bench/bench_client.c tests/lib/wire.c $(ORCH))

$(OUT)/bench_tokens $(OUT)/bench_latency $(OUT)/bench_sink $(OUT)/bench_verify: \
    $(OUT)/bench_%: $(OUT)/tests/bench/bench_%.o $(BENCH_CLIENTS) $(call seen,security)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,security)
$(OUT)/bench_store $(OUT)/bench_growth: $(OUT)/bench_%: $(OUT)/tests/bench/bench_%.o $(BENCH_STORES) $(call seen,daemon)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,daemon) $(LIBS_orchestration)
$(OUT)/bench_noop: $(call obj,tests/bench/bench_noop.c) $(call seen,base)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,base)

# What the table makes of figures is tested by `make check`; the figures are not.
.PHONY: bench bench-record bench-deps bench-table
bench-table:
	python3 -B tests/bench/test_table.py
CHECK_PARTS += bench-table
bench-deps:
	@tests/deps.sh packages.txt packages-bench.txt
bench: bench-deps
	+@$(MAKE) --no-print-directory -s -j$(JOBS) programs $(BENCH_BINS) $(OUT)/overload $(OUT)/fault_handler
	python3 -B tests/bench/bench.py --bin $(OUT) --dir $(BENCH_DIR) --seconds $(BENCH_SECONDS) --rounds $(BENCH_ROUNDS) \
	  --growth $(BENCH_GROWTH) $(BENCH_FLAGS)
bench-record:
	+@$(MAKE) --no-print-directory bench BENCH_FLAGS='--record docs/performance.md'
