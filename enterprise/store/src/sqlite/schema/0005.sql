-- Version 5: what a release would have changed (JSON), and who looked at it before it went out.

ALTER TABLE releases ADD COLUMN impact TEXT;
ALTER TABLE releases ADD COLUMN reviewed_by TEXT NOT NULL DEFAULT '';
