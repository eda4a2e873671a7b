#!/usr/bin/env bash
# Runs a Postgres in PGDATA that follows the one at PRIMARY_URL; the first time it copies that one. Arguments go to postgres.
# A replica that was away for longer than the primary keeps its WAL can't follow any more, and says so: empty PGDATA, and it copies anew.
set -euo pipefail
: "${PRIMARY_URL:?set it to the URL of the primary, with a user who may replicate}"
: "${PGDATA:?set it to the directory of the data}"

if [ ! -e "$PGDATA/PG_VERSION" ]; then
  # What a copy that was cut short has left.
  rm -rf "$PGDATA.partial"
  mkdir -p "$(dirname "$PGDATA")"
  pg_basebackup --dbname "$PRIMARY_URL" --pgdata "$PGDATA.partial" --wal-method stream --checkpoint fast --write-recovery-conf
  mv --no-target-directory "$PGDATA.partial" "$PGDATA"
fi
exec postgres -D "$PGDATA" "$@"
