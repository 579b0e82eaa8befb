-- A determination that is out of force goes with the record of it.

-- The referral it answered stays, and goes on naming it.
ALTER TABLE referral DROP CONSTRAINT referral_closed_by_fkey;

-- Written times sort as they follow one another.
CREATE FUNCTION determination_goes_with_its_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM log_leaf l WHERE l.entry_id = OLD.id AND log_is_erased_whole(l.seq)) THEN
        RAISE EXCEPTION 'a determination goes with the record of it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.withdrawn_at IS NULL AND coalesce(
        (OLD.body::jsonb ->> 'valid_until') COLLATE "C" >= to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'),
        TRUE
    ) THEN
        RAISE EXCEPTION 'a determination in force is kept' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER determination_goes_with_its_entry AFTER DELETE ON determination
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION determination_goes_with_its_entry();
