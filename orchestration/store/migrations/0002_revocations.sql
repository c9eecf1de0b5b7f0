-- min_reader=1 min_writer=2
-- A daemon that does not know revocations would believe what was revoked: it may not write.

-- kind is a row of shared/security/revocation.def, by number. until_s: 0 holds until it is taken
-- back; after it nothing that is revoked here could be good any more, and the row is pruned.
CREATE TABLE revocations (
	id INTEGER PRIMARY KEY,
	uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
	kind INTEGER NOT NULL,
	name TEXT NOT NULL,
	before_s INTEGER NOT NULL,
	until_s INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	reason TEXT
) STRICT;

-- When the credential of a session was issued; 0 is not known, which any revocation of its worker
-- ends.
ALTER TABLE sessions ADD COLUMN issued_at_s INTEGER NOT NULL DEFAULT 0;
