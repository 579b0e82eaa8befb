-- Referrals: what a decision left to a person. What was asked stands in the decision's own entry; here is what the
-- desk looks up. Document and person are erased with that entry's payload.

CREATE TABLE referral (
    id        TEXT PRIMARY KEY,
    seq       INTEGER NOT NULL REFERENCES log_leaf (seq),
    document  TEXT,
    person    TEXT,
    -- A day, or none where no period runs.
    due       TEXT,
    closed_at TEXT,
    -- The determination that answered it.
    closed_by TEXT REFERENCES determination (id),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
) STRICT;
CREATE INDEX referral_by_entry ON referral (seq);
CREATE INDEX referral_open_by_due ON referral (due, id) WHERE closed_at IS NULL;
CREATE INDEX referral_by_document ON referral (document, id);
CREATE INDEX referral_by_person ON referral (person, id);

CREATE TABLE referral_addressee (
    referral TEXT NOT NULL REFERENCES referral (id) ON DELETE CASCADE,
    role     TEXT NOT NULL,
    PRIMARY KEY (referral, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX referral_addressee_by_role ON referral_addressee (role, referral);

-- The policies decisions were made under, by the hash that each decision names.
CREATE TABLE policy_bundle (
    hash  TEXT PRIMARY KEY,
    files TEXT NOT NULL
) STRICT;
CREATE TRIGGER policy_bundle_is_never_updated BEFORE UPDATE ON policy_bundle
BEGIN SELECT RAISE(ABORT, 'a bundle is kept as it was'); END;
CREATE TRIGGER policy_bundle_is_never_deleted BEFORE DELETE ON policy_bundle
BEGIN SELECT RAISE(ABORT, 'a bundle is kept as it was'); END;
