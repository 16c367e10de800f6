-- Version 2: groups and second factors of accounts, thresholds and votes of requests, exceptions,
-- emergencies.

ALTER TABLE accounts ADD COLUMN groups TEXT NOT NULL DEFAULT '[]';
-- The person's id in the chat service, where it is linked.
ALTER TABLE accounts ADD COLUMN chat TEXT;
CREATE UNIQUE INDEX accounts_chat ON accounts (chat) WHERE chat IS NOT NULL;

CREATE TABLE factors (
    id           TEXT    PRIMARY KEY,
    login        TEXT    NOT NULL REFERENCES accounts (login) ON DELETE CASCADE,
    kind         TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    secret       TEXT    NOT NULL,
    confirmed    INTEGER NOT NULL,
    -- Highest time step that was used.
    counter      INTEGER NOT NULL,
    created_ms   INTEGER NOT NULL,
    last_used_ms INTEGER
) STRICT;
CREATE INDEX factors_login ON factors (login);

CREATE TABLE recovery_codes (
    login TEXT NOT NULL REFERENCES accounts (login) ON DELETE CASCADE,
    hash  BLOB NOT NULL,
    PRIMARY KEY (login, hash)
) STRICT, WITHOUT ROWID;

-- `command`, `exception` or `break_glass`.
ALTER TABLE approvals ADD COLUMN kind TEXT NOT NULL DEFAULT 'command';
-- What it takes, as it was when the request was opened.
ALTER TABLE approvals ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';
CREATE INDEX approvals_session ON approvals (machine_id, session_id, created_ms);

-- One for each person, whatever accounts they have.
CREATE TABLE votes (
    request_id TEXT    NOT NULL REFERENCES approvals (id),
    person     TEXT    NOT NULL,
    login      TEXT    NOT NULL,
    approve    INTEGER NOT NULL,
    factor     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    time_ms    INTEGER NOT NULL,
    PRIMARY KEY (request_id, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE exceptions (
    id             TEXT    PRIMARY KEY REFERENCES approvals (id),
    until_ms       INTEGER NOT NULL,
    approved_ms    INTEGER NOT NULL,
    revoked_ms     INTEGER,
    revoked_by     TEXT,
    revoked_reason TEXT
) STRICT;

CREATE TABLE emergencies (
    id          TEXT    PRIMARY KEY REFERENCES approvals (id),
    due_ms      INTEGER NOT NULL,
    reviewed_ms INTEGER,
    reviewed_by TEXT,
    verdict     TEXT,
    note        TEXT,
    late_told   INTEGER NOT NULL DEFAULT 0
) STRICT;
