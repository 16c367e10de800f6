-- Version 4: machine life.
--
-- A machine's certificate can be renewed and revoked. The next one counts beside the old one until it is
-- used for the first time: an answer that was lost locks nobody out.
ALTER TABLE machines ADD COLUMN fingerprint_next TEXT NOT NULL DEFAULT '';
ALTER TABLE machines ADD COLUMN revoked TEXT;
