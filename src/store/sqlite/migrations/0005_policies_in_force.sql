-- Which policies are in force, on every replica: what was decided under others is decided again.
ALTER TABLE log_head ADD COLUMN policies TEXT;
