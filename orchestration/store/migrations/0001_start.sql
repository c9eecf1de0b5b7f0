-- min_reader=1 min_writer=1
-- Rows are a budget: creating a task of n steps writes n + 3 of them (tasks, task_details, events,
-- steps), claiming a step 2 (steps, events), finishing one 3 and one for each child (and one more
-- event when that changes the task's state). What never changes is kept out of rows that do.

CREATE TABLE tenants (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE owners (
	id INTEGER PRIMARY KEY,
	tenant INTEGER NOT NULL REFERENCES tenants (id),
	name TEXT NOT NULL,
	UNIQUE (tenant, name)
) STRICT;

-- A version is its content: a row is never updated. Names of steps, their parents and children are
-- read from here, so a step's row carries numbers only.
CREATE TABLE templates (
	id INTEGER PRIMARY KEY,
	namespace TEXT NOT NULL,
	name TEXT NOT NULL,
	version TEXT NOT NULL,
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	json TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	UNIQUE (namespace, name, version)
) STRICT;

-- Where a step waits: workers match on both.
CREATE TABLE routes (
	id INTEGER PRIMARY KEY,
	namespace TEXT NOT NULL,
	callable TEXT NOT NULL,
	UNIQUE (namespace, callable)
) STRICT;

-- The sums over a task's steps (remaining, live, waiting, failed) are kept here, so that no decision
-- reads all of them. States are the numbers of orchestration/engine/*_state.def.
CREATE TABLE tasks (
	id INTEGER PRIMARY KEY,
	uuid BLOB NOT NULL CHECK (length(uuid) = 16),
	tenant INTEGER NOT NULL,
	owner INTEGER NOT NULL,
	template INTEGER NOT NULL,
	state INTEGER NOT NULL,
	total INTEGER NOT NULL,
	remaining INTEGER NOT NULL,
	live INTEGER NOT NULL,
	waiting INTEGER NOT NULL,
	failed INTEGER NOT NULL,
	rank INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	completed_at INTEGER,
	identity BLOB
) STRICT;
-- One seek decides "mine and there": a foreign task misses exactly like one that does not exist.
CREATE UNIQUE INDEX tasks_key ON tasks (uuid, tenant, owner);
CREATE INDEX tasks_tenant ON tasks (tenant);
CREATE INDEX tasks_owner ON tasks (owner);
CREATE UNIQUE INDEX tasks_identity ON tasks (identity) WHERE identity IS NOT NULL;
CREATE INDEX tasks_open ON tasks (state) WHERE completed_at IS NULL;

CREATE TABLE task_details (
	task INTEGER PRIMARY KEY,
	initiator TEXT NOT NULL,
	source_system TEXT NOT NULL,
	reason TEXT NOT NULL,
	priority INTEGER,
	correlation_id BLOB NOT NULL,
	parent_correlation_id BLOB,
	idempotency_key TEXT,
	tags TEXT,
	context TEXT NOT NULL
) STRICT;

-- id = tasks.id * 1024 + the step's index in its template. queue: the route it waits in, NULL while
-- it is not offered. settled: the last attempt whose outcome was accepted.
CREATE TABLE steps (
	id INTEGER PRIMARY KEY,
	state INTEGER NOT NULL,
	unmet INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	failures INTEGER NOT NULL,
	lease_losses INTEGER NOT NULL,
	settled INTEGER NOT NULL,
	session INTEGER NOT NULL,
	queue INTEGER,
	rank INTEGER NOT NULL,
	retry_at INTEGER,
	backoff_ms INTEGER,
	updated_at INTEGER NOT NULL,
	attempted_at INTEGER,
	failed_at INTEGER,
	completed_at INTEGER,
	result TEXT,
	error TEXT,
	log TEXT
) STRICT;
CREATE INDEX steps_queue ON steps (queue, rank) WHERE queue IS NOT NULL;
CREATE INDEX steps_retry ON steps (retry_at) WHERE retry_at IS NOT NULL;

-- The transition is the event. pos is commit order, seq counts from 1 without gaps in each task.
-- session: the worker whose report it was; actor: the owner whose request it was; neither: timers.
CREATE TABLE events (
	pos INTEGER PRIMARY KEY,
	task INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	step INTEGER,
	from_state INTEGER NOT NULL,
	to_state INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	session INTEGER,
	actor INTEGER,
	at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_task ON events (task, seq);
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are final'); END;

CREATE TABLE sessions (
	id INTEGER PRIMARY KEY,
	digest BLOB NOT NULL CHECK (length(digest) = 32),
	worker TEXT NOT NULL,
	boot TEXT NOT NULL,
	slots INTEGER NOT NULL,
	namespaces TEXT NOT NULL,
	handlers TEXT NOT NULL,
	expires_at_s INTEGER NOT NULL,
	registered_at INTEGER NOT NULL,
	ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX sessions_worker ON sessions (worker) WHERE ended_at IS NULL;

-- How many tasks and steps are in each state: two arrays of 64-bit little-endian numbers by state.
CREATE TABLE totals (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	tasks BLOB NOT NULL,
	steps BLOB NOT NULL
) STRICT;
INSERT INTO totals (id, tasks, steps) VALUES (1, zeroblob(0), zeroblob(0));
