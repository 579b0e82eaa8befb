-- Holds and erasure. What was asked for with a hold stands in its own entry; here is what it covers, which goes with
-- that entry's payload.

CREATE TABLE log_hold (
    -- Also the id of the entry that placed it.
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('foi', 'complaint', 'litigation', 'other')),
    decision    TEXT,
    document    TEXT,
    person      TEXT,
    rule        TEXT,
    -- Microseconds since 1970, the end exclusive.
    begins      INTEGER,
    ends        INTEGER,
    released_at INTEGER,
    -- A hold of no scope would cover everything.
    CHECK (coalesce(decision, document, person, rule) IS NOT NULL OR coalesce(begins, ends) IS NOT NULL)
) STRICT;

CREATE TRIGGER log_hold_scope_is_never_changed
BEFORE UPDATE OF id, kind, decision, document, person, rule, begins, ends ON log_hold
BEGIN SELECT RAISE(ABORT, 'a hold covers what it was placed on'); END;

CREATE TRIGGER log_hold_is_released_once BEFORE UPDATE OF released_at ON log_hold
WHEN OLD.released_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a hold is released once'); END;

-- Which act erased something of an entry. Which groups stands in the leaf of that act, whose id this is.
CREATE TABLE log_erased (
    seq     INTEGER NOT NULL REFERENCES log_leaf (seq),
    -- The entry comes after it in their transaction.
    erasure TEXT NOT NULL REFERENCES log_leaf (entry_id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (seq, erasure)
) STRICT, WITHOUT ROWID;

-- How often something has happened that bears on erasure.
CREATE TABLE log_retention (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    events INTEGER NOT NULL CHECK (events >= 0)
) STRICT;
INSERT INTO log_retention (id, events) VALUES (1, 0);

CREATE INDEX log_idempotency_by_entry ON log_idempotency (seq);

CREATE TRIGGER log_erased_is_never_updated BEFORE UPDATE ON log_erased
BEGIN SELECT RAISE(ABORT, 'an erasure stays on record'); END;
CREATE TRIGGER log_erased_is_never_deleted BEFORE DELETE ON log_erased
BEGIN SELECT RAISE(ABORT, 'an erasure stays on record'); END;

-- What may be deleted is deleted by an act that is on record.

CREATE TRIGGER log_payload_is_erased_on_record BEFORE DELETE ON log_payload
WHEN NOT EXISTS (SELECT 1 FROM log_erased WHERE seq = OLD.seq)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

CREATE TRIGGER log_search_is_erased_on_record BEFORE DELETE ON log_search
WHEN NOT EXISTS (SELECT 1 FROM log_erased WHERE seq = OLD.seq)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

CREATE TRIGGER log_search_rule_is_erased_on_record BEFORE DELETE ON log_search_rule
WHEN NOT EXISTS (SELECT 1 FROM log_erased WHERE seq = OLD.seq)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

CREATE TRIGGER log_idempotency_is_erased_on_record BEFORE DELETE ON log_idempotency
WHEN NOT EXISTS (SELECT 1 FROM log_erased WHERE seq = OLD.seq)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

CREATE TRIGGER log_hold_goes_with_its_entry BEFORE DELETE ON log_hold
WHEN NOT EXISTS (SELECT 1 FROM log_erased e JOIN log_leaf l ON l.seq = e.seq WHERE l.entry_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'a hold goes with the record of it'); END;
