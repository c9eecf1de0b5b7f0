# Measurements beside peers (docs/performance.md); no part of `make check`. BENCH_ROUNDS rounds of
# BENCH_SECONDS a contender; bench-record writes the table into docs/performance.md.
BENCH_SECONDS ?= 3
BENCH_ROUNDS  ?= 3
BENCH_DIR     ?= $(OUT)/bench
BENCH_NAMES   := tokens latency sink verify store
BENCH_BINS    := $(BENCH_NAMES:%=$(OUT)/bench_%)
BENCH_PARTS   := $(call obj,tests/bench/bench_client.c tests/lib/wire.c tests/lib/token_maker.c)

$(filter-out %_store,$(BENCH_BINS)): $(OUT)/bench_%: $(OUT)/tests/bench/bench_%.o $(BENCH_PARTS) $(call seen,security)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,security)
$(OUT)/bench_store: $(call obj,tests/bench/bench_store.c $(ORCH)) $(call seen,daemon)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,daemon) $(LIBS_orchestration)

.PHONY: bench bench-record bench-deps
bench-deps:
	@tests/deps.sh packages.txt packages-bench.txt
bench: bench-deps
	+@$(MAKE) --no-print-directory -s -j$(JOBS) programs $(BENCH_BINS)
	python3 tests/bench/bench.py --bin $(OUT) --dir $(BENCH_DIR) --seconds $(BENCH_SECONDS) --rounds $(BENCH_ROUNDS) $(BENCH_FLAGS)
bench-record:
	+@$(MAKE) --no-print-directory bench BENCH_FLAGS='--record docs/performance.md'
