-- The Merkle tree over the leaves, and the checkpoints signed of it.

-- No log was kept here before there was a tree.
ALTER TABLE log_head ADD COLUMN peaks BYTEA NOT NULL DEFAULT '';
-- The log's name, from its first start on: what was signed under it must stay readable.
ALTER TABLE log_head ADD COLUMN origin TEXT;

-- The hash of each perfect subtree of more than one leaf, by its place when the tree is read from left to right.
CREATE TABLE log_node (
    place BIGINT PRIMARY KEY CHECK (place > 0),
    hash  BYTEA NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE TABLE log_checkpoint (
    epoch BIGINT NOT NULL CHECK (epoch >= 1),
    size  BIGINT NOT NULL CHECK (size >= 0),
    note  TEXT NOT NULL,
    PRIMARY KEY (epoch, size)
);

-- For exports by time, whatever the kind.
CREATE INDEX log_leaf_at ON log_leaf (at, seq);

CREATE TRIGGER log_node_is_never_updated BEFORE UPDATE ON log_node
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('the log is append-only');
CREATE TRIGGER log_node_is_never_deleted BEFORE DELETE OR TRUNCATE ON log_node
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('the log is append-only');

CREATE TRIGGER log_checkpoint_is_never_updated BEFORE UPDATE ON log_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('a checkpoint is kept as it was signed');
CREATE TRIGGER log_checkpoint_is_never_deleted BEFORE DELETE OR TRUNCATE ON log_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION log_refuses('a checkpoint is kept as it was signed');

CREATE FUNCTION log_head_keeps_its_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.origin IS NOT NULL AND NEW.origin IS DISTINCT FROM OLD.origin THEN
        RAISE EXCEPTION 'the log keeps its name' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER log_head_keeps_its_name BEFORE UPDATE ON log_head
FOR EACH ROW EXECUTE FUNCTION log_head_keeps_its_name();
