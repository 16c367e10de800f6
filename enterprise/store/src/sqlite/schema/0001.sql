-- Version 1. Never edited once released: changes come as the next number.

-- Events. `row` grows by one in the order of storing, without holes: the leaf of an event in the
-- ledger is `row - 1`. Rows are never deleted.
CREATE TABLE events (
    row         INTEGER PRIMARY KEY,
    event_id    TEXT    NOT NULL UNIQUE,
    machine_id  TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    time_ms     INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    event_type  TEXT    NOT NULL,
    hostname    TEXT    NOT NULL,
    user        TEXT    NOT NULL,
    team        TEXT,
    origin      TEXT    NOT NULL,
    agent       TEXT,
    session_id  TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    decision    INTEGER,
    risk        INTEGER,
    rule        TEXT,
    reason      TEXT,
    exit_code   INTEGER,
    json        TEXT    NOT NULL,
    UNIQUE (machine_id, seq)
) STRICT;
CREATE INDEX events_time     ON events (time_ms);
CREATE INDEX events_user     ON events (user, time_ms);
CREATE INDEX events_machine  ON events (machine_id, time_ms);
CREATE INDEX events_session  ON events (session_id, time_ms);
CREATE INDEX events_type     ON events (event_type, time_ms);
CREATE INDEX events_decision ON events (decision, time_ms);

CREATE VIRTUAL TABLE event_text USING fts5 (
    text, content = 'events', content_rowid = 'row', tokenize = 'trigram', detail = none
);

-- Values of which an event has several: `p:` programs, `r:` rules, `a:` agents.
CREATE TABLE event_tag (
    tag     TEXT    NOT NULL,
    time_ms INTEGER NOT NULL,
    row     INTEGER NOT NULL,
    PRIMARY KEY (tag, time_ms, row)
) STRICT, WITHOUT ROWID;

-- Counts by hour. `decision` is -1 where there was none.
CREATE TABLE rollup (
    hour      INTEGER NOT NULL,
    dimension TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    decision  INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (dimension, hour, key, decision)
) STRICT, WITHOUT ROWID;

-- Last event of each machine.
CREATE TABLE chains (
    machine_id TEXT    PRIMARY KEY,
    seq        INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    hostname   TEXT    NOT NULL,
    gaps       INTEGER NOT NULL
) STRICT;
CREATE INDEX chains_hostname ON chains (hostname);

CREATE TABLE checkpoints (
    tree_size INTEGER PRIMARY KEY,
    root      BLOB    NOT NULL,
    note      TEXT    NOT NULL,
    time_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    login         TEXT    PRIMARY KEY,
    role          TEXT    NOT NULL,
    person        TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    initial       INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL,
    last_seen_ms  INTEGER
) STRICT;

-- Sessions of browsers and tokens of programs, by the SHA-256 of the secret.
CREATE TABLE credentials (
    hash       BLOB    PRIMARY KEY,
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    login      TEXT    NOT NULL REFERENCES accounts (login) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE enrolment_tokens (
    id          TEXT    PRIMARY KEY,
    secret_hash BLOB    NOT NULL,
    person      TEXT    NOT NULL,
    teams       TEXT    NOT NULL,
    labels      TEXT    NOT NULL,
    uses_left   INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    made_by     TEXT    NOT NULL
) STRICT;

CREATE TABLE machines (
    machine_id     TEXT    PRIMARY KEY,
    manifest       TEXT    NOT NULL,
    person         TEXT    NOT NULL,
    teams          TEXT    NOT NULL,
    labels         TEXT    NOT NULL,
    fingerprint    TEXT    NOT NULL,
    enrolled_ms    INTEGER NOT NULL,
    last_seen_ms   INTEGER,
    retired        INTEGER NOT NULL,
    quarantine     TEXT,
    order_done     INTEGER NOT NULL,
    policy_version TEXT    NOT NULL,
    policy_digest  TEXT    NOT NULL,
    policy_problem TEXT,
    head_seq       INTEGER NOT NULL,
    queued         INTEGER NOT NULL
) STRICT;

CREATE TABLE orders (
    machine_id TEXT    NOT NULL,
    serial     INTEGER NOT NULL,
    signed     TEXT    NOT NULL,
    PRIMARY KEY (machine_id, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
    id              TEXT    PRIMARY KEY,
    machine_id      TEXT    NOT NULL,
    hostname        TEXT    NOT NULL,
    user            TEXT    NOT NULL,
    request         TEXT    NOT NULL,
    binding_hash    TEXT    NOT NULL,
    reason          TEXT,
    session_id      TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    expires_ms      INTEGER NOT NULL,
    approver        TEXT,
    decision_reason TEXT,
    decided_ms      INTEGER,
    signed          TEXT
) STRICT;
CREATE INDEX approvals_status  ON approvals (status, created_ms);
CREATE INDEX approvals_machine ON approvals (machine_id, user, created_ms);

CREATE TABLE releases (
    version      INTEGER PRIMARY KEY,
    source       TEXT    NOT NULL,
    sha256       TEXT    NOT NULL,
    published_by TEXT    NOT NULL,
    published_ms INTEGER NOT NULL,
    note         TEXT    NOT NULL
) STRICT;

CREATE TABLE alerts (
    id          TEXT    PRIMARY KEY,
    detection   TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    summary     TEXT    NOT NULL,
    machine_id  TEXT,
    hostname    TEXT,
    user        TEXT,
    event_ids   TEXT    NOT NULL,
    count       INTEGER NOT NULL,
    occurred_ms INTEGER NOT NULL,
    created_ms  INTEGER NOT NULL,
    notified_ms INTEGER,
    assignee    TEXT,
    disposition TEXT,
    notes       TEXT    NOT NULL
) STRICT;
CREATE INDEX alerts_status ON alerts (status, created_ms);
CREATE INDEX alerts_key    ON alerts (detection, key, created_ms);

CREATE TABLE channels (
    id           TEXT    PRIMARY KEY,
    kind         TEXT    NOT NULL,
    url          TEXT    NOT NULL,
    min_severity TEXT    NOT NULL,
    secret       TEXT,
    enabled      INTEGER NOT NULL
) STRICT;

CREATE TABLE deliveries (
    id      INTEGER PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    channel TEXT    NOT NULL,
    alert   TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    status  INTEGER,
    error   TEXT
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
