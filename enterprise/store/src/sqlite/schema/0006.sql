-- Version 6: numbers of a machine's chain that never came: its sensor dropped them, as its policy says.

CREATE TABLE jumps (
    machine_id    TEXT    NOT NULL,
    -- First and last absent number.
    first_seq     INTEGER NOT NULL,
    last_seq      INTEGER NOT NULL,
    -- First number that no gap event explains yet, and the hash of the event before it.
    open_seq      INTEGER NOT NULL,
    before_hash   BLOB    NOT NULL,
    -- prev_hash of the first event after the jump.
    after_hash    BLOB    NOT NULL,
    -- The event by which it must be explained.
    told_seq      INTEGER,
    -- Row of the first event after the jump, and of the gap event that explained the end of it.
    row           INTEGER NOT NULL,
    explained_row INTEGER,
    PRIMARY KEY (machine_id, last_seq)
) STRICT;
CREATE INDEX jumps_open ON jumps (machine_id) WHERE explained_row IS NULL;
CREATE INDEX jumps_row ON jumps (row);
