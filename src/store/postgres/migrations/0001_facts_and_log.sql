-- The facts: each object is kept as the message it came in, with columns only for what is looked up.
--
-- Ids compare byte by byte (COLLATE "C"): lists and their pages are in the same order whatever the server's language.

CREATE TABLE register_authority (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL
);

CREATE TABLE register_object (
    collection TEXT COLLATE "C" NOT NULL CHECK (collection IN ('groups', 'wards', 'bodies', 'people')),
    id         TEXT COLLATE "C" NOT NULL,
    position   BIGINT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (collection, id)
);

CREATE TABLE document (
    id   TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C",
    body TEXT NOT NULL
);
CREATE INDEX document_by_kind ON document (kind, id);

-- Which bodies' business a document or a part of it serves.
CREATE TABLE document_business (
    document TEXT COLLATE "C" NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    body     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (document, body)
);
CREATE INDEX document_business_by_body ON document_business (body, document);

-- The body is as entered and never rewritten; a withdrawal is a time beside it.
CREATE TABLE determination (
    id           TEXT COLLATE "C" PRIMARY KEY,
    document     TEXT COLLATE "C",
    person       TEXT COLLATE "C",
    kind         TEXT COLLATE "C" NOT NULL,
    body         TEXT NOT NULL,
    withdrawn_at TEXT
);
CREATE INDEX determination_by_document ON determination (document, id);
CREATE INDEX determination_by_person ON determination (person, id);
CREATE INDEX determination_by_kind ON determination (kind, id);

-- The log: leaves that stay, payloads that may be erased.

-- The one row that every writing transaction locks first. Room is left in its page, because it is rewritten with
-- every commit.
CREATE TABLE log_head (
    id            BIGINT PRIMARY KEY CHECK (id = 1),
    size          BIGINT NOT NULL CHECK (size >= 0),
    epoch         BIGINT NOT NULL CHECK (epoch >= 1),
    facts_version BIGINT NOT NULL CHECK (facts_version >= 0)
) WITH (fillfactor = 10);
INSERT INTO log_head (id, size, epoch, facts_version) VALUES (1, 0, 1, 0);

CREATE TABLE log_leaf (
    seq       BIGINT PRIMARY KEY CHECK (seq >= 0),
    epoch     BIGINT NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    leaf      BYTEA NOT NULL,
    leaf_hash BYTEA NOT NULL UNIQUE CHECK (octet_length(leaf_hash) = 32),
    entry_id  TEXT COLLATE "C" NOT NULL UNIQUE,
    -- Microseconds since 1970, for searching by time; the exact time is in the leaf.
    at        BIGINT NOT NULL,
    outcome   TEXT COLLATE "C"
);
CREATE INDEX log_leaf_by_kind ON log_leaf (kind, seq);
CREATE INDEX log_leaf_by_outcome ON log_leaf (kind, outcome, seq);
CREATE INDEX log_leaf_by_time ON log_leaf (kind, at, seq);

CREATE TABLE log_payload (
    seq  BIGINT NOT NULL REFERENCES log_leaf (seq),
    grp  TEXT COLLATE "C" NOT NULL,
    salt BYTEA NOT NULL CHECK (octet_length(salt) = 32),
    body TEXT NOT NULL,
    PRIMARY KEY (seq, grp)
);

CREATE TABLE log_idempotency (
    key       TEXT COLLATE "C" PRIMARY KEY,
    body_hash BYTEA NOT NULL CHECK (octet_length(body_hash) = 32),
    seq       BIGINT NOT NULL REFERENCES log_leaf (seq)
);

-- What a decision is found by; erased with its payload.
CREATE TABLE log_search (
    seq      BIGINT PRIMARY KEY REFERENCES log_leaf (seq),
    person   TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    action   TEXT COLLATE "C" NOT NULL
);
CREATE INDEX log_search_by_person ON log_search (person, seq);
CREATE INDEX log_search_by_document ON log_search (document, seq);

CREATE TABLE log_search_rule (
    rule TEXT COLLATE "C" NOT NULL,
    seq  BIGINT NOT NULL REFERENCES log_leaf (seq),
    PRIMARY KEY (rule, seq)
);
CREATE INDEX log_search_rule_by_entry ON log_search_rule (seq);

-- The service itself never does what these refuse; they are for whoever holds the database and errs. What gets past
-- them is found by the hashes.

CREATE FUNCTION log_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER log_leaf_is_never_updated BEFORE UPDATE ON log_leaf
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('the log is append-only');

CREATE TRIGGER log_leaf_is_never_deleted BEFORE DELETE OR TRUNCATE ON log_leaf
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('the log is append-only');

-- Looked at once for all rows of a statement. What was there before has no gap, so its last row is the one before
-- the first new one, or there was none.
CREATE FUNCTION log_leaf_grows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first BIGINT;
    last  BIGINT;
    added BIGINT;
BEGIN
    SELECT min(seq), max(seq), count(*) INTO first, last, added FROM added_leaves;
    IF added > 0 AND (
        last - first + 1 <> added
        OR last <> (SELECT max(seq) FROM log_leaf)
        OR (first > 0 AND NOT EXISTS (SELECT 1 FROM log_leaf WHERE seq = first - 1))
    ) THEN
        RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER log_leaf_only_grows_at_its_end AFTER INSERT ON log_leaf
REFERENCING NEW TABLE AS added_leaves
FOR EACH STATEMENT EXECUTE FUNCTION log_leaf_grows();

CREATE TRIGGER log_payload_is_never_updated BEFORE UPDATE OR TRUNCATE ON log_payload
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('a payload is kept as it was or erased');

CREATE FUNCTION log_head_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size < OLD.size OR NEW.epoch < OLD.epoch OR NEW.facts_version < OLD.facts_version THEN
        RAISE EXCEPTION 'the log never goes back' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER log_head_never_goes_back BEFORE UPDATE ON log_head
FOR EACH ROW EXECUTE FUNCTION log_head_goes_on();

CREATE TRIGGER log_head_is_never_deleted BEFORE DELETE OR TRUNCATE ON log_head
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('the log never goes back');
