-- What an erasure takes is said group by group, and before the entry that records it. Erasures of earlier versions have
-- taken already what they took: nothing more goes by them.

CREATE TABLE log_erased_group (
    erasure TEXT COLLATE "C" NOT NULL,
    seq     BIGINT NOT NULL,
    grp     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (erasure, seq, grp),
    FOREIGN KEY (seq, erasure) REFERENCES log_erased (seq, erasure)
);

CREATE INDEX log_erased_by_erasure ON log_erased (erasure);

CREATE TRIGGER log_erased_group_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON log_erased_group
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('an erasure stays on record');

-- An entry that is there takes nothing, neither what it never named nor anything more.
CREATE FUNCTION log_erased_comes_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added_erased a JOIN log_leaf l ON l.entry_id = a.erasure) THEN
        RAISE EXCEPTION 'an erasure is on record' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER log_erased_comes_before_its_entry AFTER INSERT ON log_erased
REFERENCING NEW TABLE AS added_erased FOR EACH STATEMENT EXECUTE FUNCTION log_erased_comes_first();
CREATE TRIGGER log_erased_group_comes_before_its_entry AFTER INSERT ON log_erased_group
REFERENCING NEW TABLE AS added_erased FOR EACH STATEMENT EXECUTE FUNCTION log_erased_comes_first();

-- And the leaf of the erasure that then comes names all of it. That one comes is looked at when something goes by it.
CREATE FUNCTION log_erasure_names_what_went() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named JSONB := convert_from(NEW.leaf, 'UTF8')::jsonb #> '{erased,entries}';
BEGIN
    IF EXISTS (
        SELECT seq FROM log_erased WHERE erasure = NEW.entry_id
        EXCEPT
        SELECT (entry ->> 'index')::bigint FROM jsonb_array_elements(named) AS entry
    ) OR EXISTS (
        SELECT seq, grp FROM log_erased_group WHERE erasure = NEW.entry_id
        EXCEPT
        SELECT (entry ->> 'index')::bigint, grp
        FROM jsonb_array_elements(named) AS entry, jsonb_array_elements_text(entry -> 'groups') AS grp
    ) THEN
        RAISE EXCEPTION 'an erasure names what it takes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER log_erasure_names_what_went AFTER INSERT ON log_leaf
FOR EACH ROW WHEN (NEW.kind = 'erasure') EXECUTE FUNCTION log_erasure_names_what_went();

-- Of what may be deleted, each goes by an act that took it and is on record when the transaction commits.
CREATE FUNCTION log_group_is_erased_on_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM log_erased e
        JOIN log_erased_group g ON g.erasure = e.erasure AND g.seq = e.seq AND g.grp = OLD.grp
        JOIN log_leaf l ON l.entry_id = e.erasure
        WHERE e.seq = OLD.seq AND l.kind = 'erasure'
    ) THEN
        RAISE EXCEPTION 'an erasure is on record' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

-- What an entry is found by goes when it can no longer be told: without one of these groups, or with the last one.
CREATE FUNCTION log_key_is_erased_on_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM log_erased e JOIN log_leaf l ON l.entry_id = e.erasure
        WHERE e.seq = OLD.seq AND l.kind = 'erasure' AND (
            NOT EXISTS (SELECT 1 FROM log_payload p WHERE p.seq = OLD.seq)
            OR EXISTS (
                SELECT 1 FROM log_erased_group g
                WHERE g.erasure = e.erasure AND g.seq = e.seq AND g.grp IN ('answer', 'caller', 'request')
            )
        )
    ) THEN
        RAISE EXCEPTION 'an erasure is on record' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

-- Whether all there was of an entry has been erased.
CREATE FUNCTION log_is_erased_whole(entry BIGINT) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (SELECT 1 FROM log_payload p WHERE p.seq = entry) AND EXISTS (
        SELECT 1 FROM log_erased e JOIN log_leaf l ON l.entry_id = e.erasure
        WHERE e.seq = entry AND l.kind = 'erasure'
    )
$$;

CREATE FUNCTION log_rule_goes_with_its_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT log_is_erased_whole(OLD.seq) THEN
        RAISE EXCEPTION 'an erasure is on record' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION log_hold_goes_with_its_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM log_leaf h WHERE h.entry_id = OLD.id AND log_is_erased_whole(h.seq)) THEN
        RAISE EXCEPTION 'a hold goes with the record of it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER log_payload_is_erased_on_record ON log_payload;
DROP TRIGGER log_search_is_erased_on_record ON log_search;
DROP TRIGGER log_search_rule_is_erased_on_record ON log_search_rule;
DROP TRIGGER log_idempotency_is_erased_on_record ON log_idempotency;
DROP FUNCTION log_erases_on_record();

CREATE CONSTRAINT TRIGGER log_payload_is_erased_on_record AFTER DELETE ON log_payload
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_group_is_erased_on_record();
CREATE CONSTRAINT TRIGGER log_search_is_erased_on_record AFTER DELETE ON log_search
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_key_is_erased_on_record();
CREATE CONSTRAINT TRIGGER log_idempotency_is_erased_on_record AFTER DELETE ON log_idempotency
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_key_is_erased_on_record();
CREATE CONSTRAINT TRIGGER log_search_rule_is_erased_on_record AFTER DELETE ON log_search_rule
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_rule_goes_with_its_entry();
