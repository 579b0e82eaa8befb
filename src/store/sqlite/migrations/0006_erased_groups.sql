-- What an erasure takes is said group by group, and before the entry that records it. Erasures of earlier versions have
-- taken already what they took: nothing more goes by them.

CREATE TABLE log_erased_group (
    erasure TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    grp     TEXT NOT NULL,
    PRIMARY KEY (erasure, seq, grp),
    FOREIGN KEY (seq, erasure) REFERENCES log_erased (seq, erasure)
) STRICT, WITHOUT ROWID;

CREATE INDEX log_erased_by_erasure ON log_erased (erasure);

CREATE TRIGGER log_erased_group_is_never_updated BEFORE UPDATE ON log_erased_group
BEGIN SELECT RAISE(ABORT, 'an erasure stays on record'); END;
CREATE TRIGGER log_erased_group_is_never_deleted BEFORE DELETE ON log_erased_group
BEGIN SELECT RAISE(ABORT, 'an erasure stays on record'); END;

-- An entry that is there takes nothing, neither what it never named nor anything more.
CREATE TRIGGER log_erased_comes_before_its_entry BEFORE INSERT ON log_erased
WHEN EXISTS (SELECT 1 FROM log_leaf WHERE entry_id = NEW.erasure)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;
CREATE TRIGGER log_erased_group_comes_before_its_entry BEFORE INSERT ON log_erased_group
WHEN EXISTS (SELECT 1 FROM log_leaf WHERE entry_id = NEW.erasure)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

-- And the entry that then comes is an erasure, whose leaf names all of it. That one comes the reference of log_erased
-- sees to.
CREATE TRIGGER log_erasure_names_what_went BEFORE INSERT ON log_leaf
WHEN EXISTS (SELECT 1 FROM log_erased WHERE erasure = NEW.entry_id) AND (
    NEW.kind <> 'erasure'
    OR EXISTS (
        SELECT seq FROM log_erased WHERE erasure = NEW.entry_id
        EXCEPT
        SELECT json_extract(entry.value, '$.index') FROM json_each(CAST(NEW.leaf AS TEXT), '$.erased.entries') AS entry
    )
    OR EXISTS (
        SELECT seq, grp FROM log_erased_group WHERE erasure = NEW.entry_id
        EXCEPT
        SELECT json_extract(entry.value, '$.index'), grp.value
        FROM json_each(CAST(NEW.leaf AS TEXT), '$.erased.entries') AS entry, json_each(entry.value, '$.groups') AS grp
    )
)
BEGIN SELECT RAISE(ABORT, 'an erasure names what it takes'); END;

DROP TRIGGER log_payload_is_erased_on_record;
CREATE TRIGGER log_payload_is_erased_on_record BEFORE DELETE ON log_payload
WHEN NOT EXISTS (
    SELECT 1 FROM log_erased e
    JOIN log_erased_group g ON g.erasure = e.erasure AND g.seq = e.seq AND g.grp = OLD.grp
    WHERE e.seq = OLD.seq
)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

-- What an entry is found by goes when it can no longer be told: without one of these groups, or with the last one.
DROP TRIGGER log_search_is_erased_on_record;
CREATE TRIGGER log_search_is_erased_on_record BEFORE DELETE ON log_search
WHEN NOT EXISTS (
    SELECT 1 FROM log_erased e WHERE e.seq = OLD.seq AND (
        NOT EXISTS (SELECT 1 FROM log_payload WHERE seq = OLD.seq)
        OR EXISTS (
            SELECT 1 FROM log_erased_group g
            WHERE g.erasure = e.erasure AND g.seq = e.seq AND g.grp IN ('answer', 'caller', 'request')
        )
    )
)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

DROP TRIGGER log_idempotency_is_erased_on_record;
CREATE TRIGGER log_idempotency_is_erased_on_record BEFORE DELETE ON log_idempotency
WHEN NOT EXISTS (
    SELECT 1 FROM log_erased e WHERE e.seq = OLD.seq AND (
        NOT EXISTS (SELECT 1 FROM log_payload WHERE seq = OLD.seq)
        OR EXISTS (
            SELECT 1 FROM log_erased_group g
            WHERE g.erasure = e.erasure AND g.seq = e.seq AND g.grp IN ('answer', 'caller', 'request')
        )
    )
)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

DROP TRIGGER log_search_rule_is_erased_on_record;
CREATE TRIGGER log_search_rule_is_erased_on_record BEFORE DELETE ON log_search_rule
WHEN NOT EXISTS (SELECT 1 FROM log_erased WHERE seq = OLD.seq)
  OR EXISTS (SELECT 1 FROM log_payload WHERE seq = OLD.seq)
BEGIN SELECT RAISE(ABORT, 'an erasure is on record'); END;

DROP TRIGGER log_hold_goes_with_its_entry;
CREATE TRIGGER log_hold_goes_with_its_entry BEFORE DELETE ON log_hold
WHEN NOT EXISTS (
    SELECT 1 FROM log_leaf l JOIN log_erased e ON e.seq = l.seq
    WHERE l.entry_id = OLD.id AND NOT EXISTS (SELECT 1 FROM log_payload p WHERE p.seq = l.seq)
)
BEGIN SELECT RAISE(ABORT, 'a hold goes with the record of it'); END;
