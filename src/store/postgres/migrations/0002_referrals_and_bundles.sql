-- Referrals: what a decision left to a person. What was asked stands in the decision's own entry; here is what the
-- desk looks up. Document and person are erased with that entry's payload.

CREATE TABLE referral (
    id        TEXT COLLATE "C" PRIMARY KEY,
    seq       BIGINT NOT NULL REFERENCES log_leaf (seq),
    document  TEXT COLLATE "C",
    person    TEXT COLLATE "C",
    -- A day, or none where no period runs.
    due       TEXT COLLATE "C",
    closed_at TEXT COLLATE "C",
    -- The determination that answered it.
    closed_by TEXT COLLATE "C" REFERENCES determination (id),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX referral_by_entry ON referral (seq);
CREATE INDEX referral_open_by_due ON referral (due, id) WHERE closed_at IS NULL;
CREATE INDEX referral_by_document ON referral (document, id);
CREATE INDEX referral_by_person ON referral (person, id);

CREATE TABLE referral_addressee (
    referral TEXT COLLATE "C" NOT NULL REFERENCES referral (id) ON DELETE CASCADE,
    role     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (referral, role)
);
CREATE INDEX referral_addressee_by_role ON referral_addressee (role, referral);

-- The policies decisions were made under, by the hash that each decision names.
CREATE TABLE policy_bundle (
    hash  TEXT COLLATE "C" PRIMARY KEY,
    files TEXT NOT NULL
);
CREATE TRIGGER policy_bundle_is_never_updated BEFORE UPDATE ON policy_bundle
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('a bundle is kept as it was');
CREATE TRIGGER policy_bundle_is_never_deleted BEFORE DELETE OR TRUNCATE ON policy_bundle
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('a bundle is kept as it was');
