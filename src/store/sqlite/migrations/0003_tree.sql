-- The Merkle tree over the leaves, and the checkpoints signed of it.

-- Null until the service has grown the tree over the entries there already are.
ALTER TABLE log_head ADD COLUMN peaks BLOB;
UPDATE log_head SET peaks = x'' WHERE size = 0;
-- The log's name, from its first start on: what was signed under it must stay readable.
ALTER TABLE log_head ADD COLUMN origin TEXT;

-- The hash of each perfect subtree of more than one leaf, by its place when the tree is read from left to right.
CREATE TABLE log_node (
    place INTEGER PRIMARY KEY CHECK (place > 0),
    hash  BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE log_checkpoint (
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    size  INTEGER NOT NULL CHECK (size >= 0),
    note  TEXT NOT NULL,
    PRIMARY KEY (epoch, size)
) STRICT, WITHOUT ROWID;

-- For exports by time, whatever the kind.
CREATE INDEX log_leaf_at ON log_leaf (at, seq);

CREATE TRIGGER log_node_is_never_updated BEFORE UPDATE ON log_node
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_node_is_never_deleted BEFORE DELETE ON log_node
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_node_is_never_replaced BEFORE INSERT ON log_node
WHEN EXISTS (SELECT 1 FROM log_node WHERE place = NEW.place)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER log_checkpoint_is_never_updated BEFORE UPDATE ON log_checkpoint
BEGIN SELECT RAISE(ABORT, 'a checkpoint is kept as it was signed'); END;
CREATE TRIGGER log_checkpoint_is_never_deleted BEFORE DELETE ON log_checkpoint
BEGIN SELECT RAISE(ABORT, 'a checkpoint is kept as it was signed'); END;
CREATE TRIGGER log_checkpoint_is_never_replaced BEFORE INSERT ON log_checkpoint
WHEN EXISTS (SELECT 1 FROM log_checkpoint WHERE epoch = NEW.epoch AND size = NEW.size)
BEGIN SELECT RAISE(ABORT, 'a checkpoint is kept as it was signed'); END;
