# The runner's tests start the real shim and a handler that misbehaves on request.
$(OUT)/chaos_handler: $(call obj,tests/lib/chaos_handler.c)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@
unit-worker: $(OUT)/chaos_handler $(OUT)/bin/tasker-exec
