/*
 * A runner with real handler processes around a test: steps go in, reports are waited for. Paths of
 * the shim and of the chaos handler are found beside the test's own binary.
 */
#ifndef TESTS_UNIT_WORKER_RIG_H
#define TESTS_UNIT_WORKER_RIG_H

#include "tests/unit/unit.h"
#include "worker/runner/runner.h"

enum { RIG_WAIT_MS = 10000 };

/* Paths beside the test binary; static. */
const char *rig_shim(void);
const char *rig_chaos(void);
const char *rig_scratch(void); /* a folder of its own a test */

/* Settings with everything short: ticks of 20 ms, restarts from 10 ms, a window of 400 ms. */
struct runner_settings rig_settings(const struct handler_settings *handlers, size_t count);
/* One chaos process with one slot, that takes "chaos.*"; args may be NULL. */
struct handler_settings rig_chaos_handler(const char *const *command);
/* A shell line as an exec handler that takes "shell.*". */
struct handler_settings rig_shell_handler(const char *const *command);

struct rig;
struct rig *rig_new(const struct runner_settings *settings);
void rig_free(struct rig *rig);
struct runner *rig_runner(struct rig *rig);

/* Offers attempt number of step n ("00000000-0000-7000-8000-00000000000n"). */
void rig_give(struct rig *rig, unsigned n, int64_t attempt, const char *callable);
/* With own input and timeout_seconds (0: null). */
void rig_give_input(
        struct rig *rig, unsigned n, const char *callable, const char *input, int timeout_s);
struct step *rig_step(
        unsigned n, int64_t attempt, const char *callable, const char *input, int timeout_s);
const char *rig_uuid(unsigned n); /* static */

/* The next report; the test ends if none comes in time. The caller frees it. */
struct step_report *rig_wait(struct rig *rig);
size_t rig_waiting(struct rig *rig); /* reports that came and were not taken */
/* Polls until it holds, or the test ends. */
void rig_until(bool (*holds)(struct rig *rig, void *arg), struct rig *rig, void *arg);
bool rig_ready(struct rig *rig, void *arg); /* settled, and it offers something */
unsigned rig_changes(struct rig *rig);

/* The report's result or log as text; static, until the next call. */
const char *rig_text(const struct buf *b);

#endif
