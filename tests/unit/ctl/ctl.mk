# Signals and closed pipes are the whole program's business: its tests start it.
unit-ctl: $(OUT)/bin/tasker-ctl
unit-ctl: export TASKER_CTL := $(OUT)/bin/tasker-ctl
