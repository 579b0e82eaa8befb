#!/bin/sh
# Runs once, when the database is made, after roles.sql. psql quotes the passwords; they are in no process list.
set -eu
psql -v ON_ERROR_STOP=1 -q -U "${POSTGRES_USER:-postgres}" -d "$POSTGRES_DB" <<'SQL'
\getenv owner OWNER_PASSWORD
\getenv service SERVICE_PASSWORD
ALTER ROLE pinkpaper_owner PASSWORD :'owner';
ALTER ROLE pinkpaper_service PASSWORD :'service';
SQL
