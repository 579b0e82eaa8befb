-- A determination that is out of force goes with the record of it.

-- The referral it answered stays, and goes on naming it: made anew without the reference, its addressees with it.
CREATE TABLE referral_made_anew (
    id        TEXT PRIMARY KEY,
    seq       INTEGER NOT NULL REFERENCES log_leaf (seq),
    document  TEXT,
    person    TEXT,
    -- A day, or none where no period runs.
    due       TEXT,
    closed_at TEXT,
    -- The determination that answered it, which may be gone.
    closed_by TEXT,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
) STRICT;
INSERT INTO referral_made_anew (id, seq, document, person, due, closed_at, closed_by)
SELECT id, seq, document, person, due, closed_at, closed_by FROM referral;

CREATE TABLE referral_addressee_made_anew (
    referral TEXT NOT NULL REFERENCES referral_made_anew (id) ON DELETE CASCADE,
    role     TEXT NOT NULL,
    PRIMARY KEY (referral, role)
) STRICT, WITHOUT ROWID;
INSERT INTO referral_addressee_made_anew (referral, role) SELECT referral, role FROM referral_addressee;

-- First those who refer to it, or they would go with it.
DROP TABLE referral_addressee;
DROP TABLE referral;
ALTER TABLE referral_made_anew RENAME TO referral;
ALTER TABLE referral_addressee_made_anew RENAME TO referral_addressee;

CREATE INDEX referral_by_entry ON referral (seq);
CREATE INDEX referral_open_by_due ON referral (due, id) WHERE closed_at IS NULL;
CREATE INDEX referral_by_document ON referral (document, id);
CREATE INDEX referral_by_person ON referral (person, id);
CREATE INDEX referral_addressee_by_role ON referral_addressee (role, referral);

CREATE TRIGGER determination_goes_with_its_entry BEFORE DELETE ON determination
WHEN NOT EXISTS (
    SELECT 1 FROM log_leaf l JOIN log_erased e ON e.seq = l.seq
    WHERE l.entry_id = OLD.id AND NOT EXISTS (SELECT 1 FROM log_payload p WHERE p.seq = l.seq)
)
BEGIN SELECT RAISE(ABORT, 'a determination goes with the record of it'); END;

-- Written times sort as they follow one another.
CREATE TRIGGER determination_stays_in_force BEFORE DELETE ON determination
WHEN OLD.withdrawn_at IS NULL
 AND coalesce(json_extract(OLD.body, '$.valid_until') >= strftime('%Y-%m-%dT%H:%M:%S', 'now'), TRUE)
BEGIN SELECT RAISE(ABORT, 'a determination in force is kept'); END;
