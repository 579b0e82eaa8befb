-- Holds and erasure. What was asked for with a hold stands in its own entry; here is what it covers, which goes with
-- that entry's payload.

CREATE TABLE log_hold (
    -- Also the id of the entry that placed it.
    id          TEXT COLLATE "C" PRIMARY KEY,
    kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('foi', 'complaint', 'litigation', 'other')),
    decision    TEXT COLLATE "C",
    document    TEXT COLLATE "C",
    person      TEXT COLLATE "C",
    rule        TEXT COLLATE "C",
    -- Microseconds since 1970, the end exclusive.
    begins      BIGINT,
    ends        BIGINT,
    released_at BIGINT,
    -- A hold of no scope would cover everything.
    CHECK (coalesce(decision, document, person, rule) IS NOT NULL OR coalesce(begins, ends) IS NOT NULL)
);

CREATE TRIGGER log_hold_scope_is_never_changed
BEFORE UPDATE OF id, kind, decision, document, person, rule, begins, ends ON log_hold
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('a hold covers what it was placed on');

CREATE TRIGGER log_hold_is_released_once BEFORE UPDATE OF released_at ON log_hold
FOR EACH ROW WHEN (OLD.released_at IS NOT NULL) EXECUTE FUNCTION log_refuses('a hold is released once');

-- Which act erased something of an entry. Which groups stands in the leaf of that act, whose id this is.
CREATE TABLE log_erased (
    seq     BIGINT NOT NULL REFERENCES log_leaf (seq),
    erasure TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (seq, erasure)
);

CREATE TRIGGER log_erased_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON log_erased
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('an erasure stays on record');

-- How often something has happened that bears on erasure.
CREATE TABLE log_retention (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    events BIGINT NOT NULL CHECK (events >= 0)
);
INSERT INTO log_retention (id, events) VALUES (1, 0);

CREATE INDEX log_idempotency_by_entry ON log_idempotency (seq);

-- What may be deleted is deleted by an act that is on record when the transaction commits.
CREATE FUNCTION log_erases_on_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM log_erased e JOIN log_leaf l ON l.entry_id = e.erasure
        WHERE e.seq = OLD.seq AND l.kind = 'erasure'
    ) THEN
        RAISE EXCEPTION 'an erasure is on record' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER log_payload_is_erased_on_record AFTER DELETE ON log_payload
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_erases_on_record();
CREATE CONSTRAINT TRIGGER log_search_is_erased_on_record AFTER DELETE ON log_search
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_erases_on_record();
CREATE CONSTRAINT TRIGGER log_search_rule_is_erased_on_record AFTER DELETE ON log_search_rule
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_erases_on_record();
CREATE CONSTRAINT TRIGGER log_idempotency_is_erased_on_record AFTER DELETE ON log_idempotency
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_erases_on_record();

CREATE FUNCTION log_hold_goes_with_its_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM log_leaf h JOIN log_erased e ON e.seq = h.seq JOIN log_leaf l ON l.entry_id = e.erasure
        WHERE h.entry_id = OLD.id AND l.kind = 'erasure'
    ) THEN
        RAISE EXCEPTION 'a hold goes with the record of it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER log_hold_goes_with_its_entry AFTER DELETE ON log_hold
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_hold_goes_with_its_entry();
