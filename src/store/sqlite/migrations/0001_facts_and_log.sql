-- The facts: each object is kept as the message it came in, with columns only for what is looked up.

CREATE TABLE register_authority (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL
) STRICT;

CREATE TABLE register_object (
    collection TEXT NOT NULL CHECK (collection IN ('groups', 'wards', 'bodies', 'people')),
    id         TEXT NOT NULL,
    position   INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (collection, id)
) STRICT;

CREATE TABLE document (
    id   TEXT PRIMARY KEY,
    kind TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX document_by_kind ON document (kind, id);

-- Which bodies' business a document or a part of it serves.
CREATE TABLE document_business (
    document TEXT NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    body     TEXT NOT NULL,
    PRIMARY KEY (document, body)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_business_by_body ON document_business (body, document);

-- The body is as entered and never rewritten; a withdrawal is a time beside it.
CREATE TABLE determination (
    id           TEXT PRIMARY KEY,
    document     TEXT,
    person       TEXT,
    kind         TEXT NOT NULL,
    body         TEXT NOT NULL,
    withdrawn_at TEXT
) STRICT;
CREATE INDEX determination_by_document ON determination (document, id);
CREATE INDEX determination_by_person ON determination (person, id);
CREATE INDEX determination_by_kind ON determination (kind, id);

-- The log: leaves that stay, payloads that may be erased.

CREATE TABLE log_head (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    size          INTEGER NOT NULL CHECK (size >= 0),
    epoch         INTEGER NOT NULL CHECK (epoch >= 1),
    facts_version INTEGER NOT NULL CHECK (facts_version >= 0)
) STRICT;
INSERT INTO log_head (id, size, epoch, facts_version) VALUES (1, 0, 1, 0);

CREATE TABLE log_leaf (
    seq       INTEGER PRIMARY KEY CHECK (seq >= 0),
    epoch     INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    leaf      BLOB NOT NULL,
    leaf_hash BLOB NOT NULL UNIQUE CHECK (length(leaf_hash) = 32),
    entry_id  TEXT NOT NULL UNIQUE,
    -- Microseconds since 1970, for searching by time; the exact time is in the leaf.
    at        INTEGER NOT NULL,
    outcome   TEXT
) STRICT;
CREATE INDEX log_leaf_by_kind ON log_leaf (kind, seq);
CREATE INDEX log_leaf_by_outcome ON log_leaf (kind, outcome, seq);
CREATE INDEX log_leaf_by_time ON log_leaf (kind, at, seq);

CREATE TABLE log_payload (
    seq  INTEGER NOT NULL REFERENCES log_leaf (seq),
    grp  TEXT NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    body TEXT NOT NULL,
    PRIMARY KEY (seq, grp)
) STRICT;

CREATE TABLE log_idempotency (
    key       TEXT PRIMARY KEY,
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
    seq       INTEGER NOT NULL REFERENCES log_leaf (seq)
) STRICT, WITHOUT ROWID;

-- What a decision is found by; erased with its payload.
CREATE TABLE log_search (
    seq      INTEGER PRIMARY KEY REFERENCES log_leaf (seq),
    person   TEXT NOT NULL,
    document TEXT NOT NULL,
    action   TEXT NOT NULL
) STRICT;
CREATE INDEX log_search_by_person ON log_search (person, seq);
CREATE INDEX log_search_by_document ON log_search (document, seq);

CREATE TABLE log_search_rule (
    rule TEXT NOT NULL,
    seq  INTEGER NOT NULL REFERENCES log_leaf (seq),
    PRIMARY KEY (rule, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX log_search_rule_by_entry ON log_search_rule (seq);

-- The service itself never does what these refuse; they are for whoever holds the file and errs. What gets past them
-- is found by the hashes.

CREATE TRIGGER log_leaf_is_never_updated BEFORE UPDATE ON log_leaf
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER log_leaf_is_never_deleted BEFORE DELETE ON log_leaf
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- Also stops INSERT OR REPLACE, which deletes without firing the trigger above.
CREATE TRIGGER log_leaf_only_grows_at_its_end BEFORE INSERT ON log_leaf
WHEN NEW.seq <> (SELECT coalesce(max(seq), -1) + 1 FROM log_leaf)
  OR EXISTS (SELECT 1 FROM log_leaf WHERE entry_id = NEW.entry_id)
  OR EXISTS (SELECT 1 FROM log_leaf WHERE leaf_hash = NEW.leaf_hash)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER log_payload_is_never_updated BEFORE UPDATE ON log_payload
BEGIN SELECT RAISE(ABORT, 'a payload is kept as it was or erased'); END;

CREATE TRIGGER log_payload_is_never_replaced BEFORE INSERT ON log_payload
WHEN EXISTS (SELECT 1 FROM log_payload WHERE seq = NEW.seq AND grp = NEW.grp)
BEGIN SELECT RAISE(ABORT, 'a payload is kept as it was or erased'); END;

CREATE TRIGGER log_head_never_goes_back BEFORE UPDATE ON log_head
WHEN NEW.size < OLD.size OR NEW.epoch < OLD.epoch OR NEW.facts_version < OLD.facts_version
BEGIN SELECT RAISE(ABORT, 'the log never goes back'); END;

CREATE TRIGGER log_head_is_never_deleted BEFORE DELETE ON log_head
BEGIN SELECT RAISE(ABORT, 'the log never goes back'); END;
