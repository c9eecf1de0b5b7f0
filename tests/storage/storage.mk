# The store on a disk that fails by seed, and real daemons on a disk that is full. STORAGE_SEEDS says
# how many seeds from STORAGE_SEED on, which are then all that is run; `storage-short` is the part of `make check`.
STORAGE_OBJS := $(call obj,$(filter-out tests/storage/bad_sync.c,$(wildcard tests/storage/*.c)))
STORAGE_LIB  := $(call obj,tests/unit/orchestration/lab.c tests/e2e/pair.c tests/lib/daemon.c \
                tests/lib/wire.c tests/lib/token_maker.c tests/fault/checker.c tests/fault/book.c)
STORAGE_WRAP := -Wl,--wrap=rand_bytes,--wrap=rand_u64
$(STORAGE_OBJS): CFLAGS_ALL += -DSUITES='"tests/storage/suites.def"'
$(OUT)/storage: $(OUT)/tests/storage/main.o $(STORAGE_OBJS) $(STORAGE_LIB) $(call obj,$(ORCH)) $(call seen,daemon)
	$(call do,link) $(CC) $(LINK_ALL) $(STORAGE_WRAP) $^ -o $@ $(call libs,daemon) $(LIBS_orchestration) -ljwt $(LIBS_unit)
$(OUT)/tests/storage/main.o: tests/unit/main.c tests/storage/suites.def
	$(call do,cc) $(CC) $(CFLAGS_ALL) -DSUITES='"tests/storage/suites.def"' -c $< -o $@
# Loaded into a daemon: its fsync fails while a file exists.
$(OUT)/bad_sync.so: tests/storage/bad_sync.c
	$(call do,link) $(CC) $(filter-out -fPIE,$(BASE)) -O2 -fPIC -shared $< -o $@

RUN_STORAGE = $(if $(STORAGE_SEED),CK_RUN_SUITE="storage seeds") TASKER_BIN=$(OUT)/bin STORAGE_BAD_SYNC=$(OUT)/bad_sync.so $(OUT)/storage
.PHONY: storage storage-short
storage: $(OUT)/storage $(OUT)/bad_sync.so programs
	STORAGE_LONG=1 $(RUN_STORAGE)
storage-short: $(OUT)/storage $(OUT)/bad_sync.so programs
	STORAGE_SEEDS=$(or $(STORAGE_SEEDS),150) STORAGE_ROUNDS=2 $(RUN_STORAGE)
CHECK_PARTS  += storage-short
CHECK_BUILDS += $(OUT)/storage $(OUT)/bad_sync.so
