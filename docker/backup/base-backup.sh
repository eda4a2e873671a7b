#!/bin/sh
# Takes a base backup of a running Postgres, checks it, and prints where it lies.
#
#   DATABASE_URL=postgres://… docker/backup/base-backup.sh /backups
#
# The user of DATABASE_URL needs the right REPLICATION, and pg_hba.conf a line for it ("host replication …"). What the WAL
# archive holds from the beginning of this backup on can be restored onto it.
set -eu
[ $# -eq 1 ] || { echo "usage: base-backup.sh DIRECTORY" >&2; exit 2; }
: "${DATABASE_URL:?set it to the URL of the database server}"

target="$1/base-$(date -u +%Y%m%dT%H%M%SZ)"
[ ! -e "$target" ] || { echo "$target is there already" >&2; exit 1; }
# Under another name until it is checked, so that nobody restores half of one.
rm -rf "$target.unfinished"
pg_basebackup --dbname="$DATABASE_URL" --pgdata="$target.unfinished" \
  --checkpoint=fast --wal-method=stream --manifest-checksums=SHA256
pg_verifybackup --quiet "$target.unfinished"
mv "$target.unfinished" "$target"
echo "$target"
