# `make help` lists the targets. Each profile and compiler builds in its own folder, so that switching
# never rebuilds the other: build/release-gcc/, build/asan-clang/ ... `make` leaves the programs in
# build/bin/. V=1 shows the commands.
PROFILE ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
OUT     ?= build/$(PROFILE)-$(notdir $(CC))
VERSION := 0.1.0
WERROR  ?= 1

# ---- what sees what (tests/lint/layers.tsv says the same for includes), and what it links ----
SEES_base      := base
SEES_runtime   := base runtime
SEES_config    := base config
SEES_fetch     := base runtime fetch
SEES_security  := base runtime fetch security
SEES_http      := base runtime http
SEES_gate      := base runtime fetch security http gate
SEES_template  := base template
SEES_schema    := base schema
SEES_daemon    := base runtime config fetch security http gate template schema daemon
SEES_ctl       := base config fetch security template runtime

LIBS_base      := -lpthread -lm
LIBS_runtime   := -levent_core -levent_pthreads
LIBS_config    := -ltomlplusplus -lstdc++
LIBS_fetch     := -lcurl
LIBS_security  := -lcrypto -lcjson
LIBS_http      := -lssl -lcrypto
LIBS_gate      :=
LIBS_template  := -lyaml
LIBS_schema    :=
LIBS_orchestration := -lsqlite3
LIBS_worker    :=
LIBS_ctl       := -ljwt -lsmartcols -lcurl

sources = $(wildcard shared/$(1)/*.c shared/$(1)/*.cpp)
ORCH    := $(filter-out orchestration/main.c,$(wildcard orchestration/*.c orchestration/*/*.c))
WORKER  := $(filter-out worker/main.c worker/shim.c,$(wildcard worker/*.c worker/*/*.c))
CTL     := $(filter-out ctl/main.c,$(wildcard ctl/*.c))
HEADERS := $(wildcard shared/*/*.h orchestration/*.h orchestration/*/*.h worker/*.h worker/*/*.h ctl/*.h)

# ---- flags ----
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wold-style-definition -Wwrite-strings -Wvla -Wcast-qual -Wformat=2 -Wundef -Wswitch-enum \
        $(if $(filter 1,$(WERROR)),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_FORTIFY_SOURCE=2 \
          $(if $(filter clang%,$(notdir $(CC))),,-ftrivial-auto-var-init=zero) -fPIE
HARDEN_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack
BASE := -std=c17 -D_GNU_SOURCE -DTASKER_VERSION='"$(VERSION)"' -I. -I$(OUT)/gen -g \
        -fno-omit-frame-pointer -fvisibility=hidden -MMD -MP $(WARN)

FLAGS_release := -O2 $(HARDEN)
FLAGS_debug   := -O1
FLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan    := -O1 -fsanitize=thread
FLAGS_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined
FLAGS_cover   := -O0 --coverage
LINK_release  := $(HARDEN_LINK)
ifeq ($(FLAGS_$(PROFILE)),)
$(error PROFILE is release, debug, asan, tsan, fuzz or cover, not '$(PROFILE)')
endif
CFLAGS_ALL    := $(BASE) $(FLAGS_$(PROFILE)) $(CFLAGS)
LINK_ALL      := $(FLAGS_$(PROFILE)) $(LINK_$(PROFILE)) -Wl,--as-needed $(LDFLAGS)
CXX           := $(if $(filter clang%,$(notdir $(CC))),clang++,g++)
# Linked by the C compiler, whose UBSan runtime knows no C++ types.
CXX_ALL       := $(filter-out -std=c17 -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition,$(CFLAGS_ALL)) -std=c++17 \
                 -fno-sanitize=vptr $(if $(filter clang%,$(notdir $(CC))),-fno-sanitize=function)

obj  = $(patsubst %.cpp,$(OUT)/%.o,$(patsubst %.c,$(OUT)/%.o,$(1)))
seen = $(call obj,$(foreach f,$(SEES_$(1)),$(call sources,$(f))))
libs = $(foreach f,$(SEES_$(1)),$(LIBS_$(f)))
# Begins a recipe: makes the folder, and says what is done instead of how.
do   = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' $(1) $(subst $(OUT)/,,$@);) mkdir -p $(@D);

PROGRAMS := tasker-orchestration tasker-worker tasker-ctl
BINS     := $(PROGRAMS:%=$(OUT)/bin/%) $(OUT)/bin/tasker-exec

.PHONY: all programs headers clean
.DELETE_ON_ERROR:
all: programs headers
	@mkdir -p build/bin && cp -f $(BINS) build/bin/
programs: $(BINS)

$(OUT)/%.o: %.c
	$(call do,cc) $(CC) $(CFLAGS_ALL) -c $< -o $@
$(OUT)/%.o: %.cpp
	$(call do,c++) $(CXX) $(CXX_ALL) -c $< -o $@

$(OUT)/bin/tasker-orchestration: $(call obj,$(ORCH) orchestration/main.c) $(call seen,daemon)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,daemon) $(LIBS_orchestration)
$(OUT)/bin/tasker-worker: $(call obj,$(WORKER) worker/main.c) $(call seen,daemon)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,daemon) $(LIBS_worker)
$(OUT)/bin/tasker-ctl: $(call obj,$(CTL) ctl/main.c) $(call seen,ctl)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@ $(call libs,ctl) $(LIBS_ctl)
# The shim between the worker and a handler process: limits, process group, parent-death signal, exec.
$(OUT)/bin/tasker-exec: $(call obj,worker/shim.c)
	$(call do,link) $(CC) $(LINK_ALL) $^ -o $@

# The schema's migrations, embedded as rows MIGRATION(number, name, min_reader, min_writer, text).
MIGRATIONS := $(sort $(wildcard orchestration/store/migrations/*.sql))
$(OUT)/gen/orchestration/store/migrations.def: $(MIGRATIONS)
	$(call do,gen) for f in $(MIGRATIONS); do n=$$(basename $$f .sql); \
	  sed -n "1s/^-- min_reader=\([0-9]*\) min_writer=\([0-9]*\)$$/MIGRATION($$(expr $${n%%_*} + 0), \"$$n\", \1, \2,/p" $$f; \
	  sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $$f; echo ')'; done > $@
$(OUT)/orchestration/store/store_sqlite_migrate.o: $(OUT)/gen/orchestration/store/migrations.def

# Every header must stand on its own.
headers: $(HEADERS:%=$(OUT)/%.ok)
$(OUT)/%.h.ok: %.h
	$(call do,header) echo '#include "$<"' | $(CC) $(CFLAGS_ALL) -MF $(@:.ok=.d) -MT $@ -x c -fsyntax-only -
	@touch $@

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
SAMPLES    := $(wildcard config/orchestration.toml config/worker.toml)
MANUALS    := $(wildcard docs/man/*.[1-8])
.PHONY: install
install: programs
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SYSCONFDIR)/tasker
	install -m 0755 $(BINS) $(DESTDIR)$(PREFIX)/bin
	$(if $(SAMPLES),install -m 0640 $(SAMPLES) $(DESTDIR)$(SYSCONFDIR)/tasker)
	$(foreach m,$(MANUALS),install -D -m 0644 $(m) $(DESTDIR)$(PREFIX)/share/man/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m)) &&) true

# Installs, builds and runs the pair: see README.md. DEMO=once ends after one workflow.
.PHONY: demo
demo:
	@tests/deps.sh packages.txt
	+@$(MAKE) --no-print-directory -j$(shell nproc 2>/dev/null || echo 2) all
	@config/demo/demo.sh

include tests/tests.mk

clean:
	rm -rf build

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
