-- Version 3: what an approver's security key signed (JSON), with the vote that it stands under.

ALTER TABLE votes ADD COLUMN proof TEXT;
