# The store on a disk that fails by seed, and real daemons on a disk that is full. STORAGE_SEEDS says
# how many seeds from STORAGE_SEED on; `storage-short` is the part of `make check`.
STORAGE_OBJS := $(call obj,$(wildcard tests/storage/*.c))
STORAGE_LIB  := $(call obj,tests/unit/orchestration/lab.c)
STORAGE_WRAP := -Wl,--wrap=rand_bytes,--wrap=rand_u64
$(STORAGE_OBJS): CFLAGS_ALL += -DSUITES='"tests/storage/suites.def"'
$(OUT)/storage: $(OUT)/tests/storage/main.o $(STORAGE_OBJS) $(STORAGE_LIB) $(call obj,$(ORCH)) $(call seen,daemon)
	$(call do,link) $(CC) $(LINK_ALL) $(STORAGE_WRAP) $^ -o $@ $(call libs,daemon) $(LIBS_orchestration) $(LIBS_unit)
$(OUT)/tests/storage/main.o: tests/unit/main.c tests/storage/suites.def
	$(call do,cc) $(CC) $(CFLAGS_ALL) -DSUITES='"tests/storage/suites.def"' -c $< -o $@
