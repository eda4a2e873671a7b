#!/bin/sh
# Makes a data directory for Postgres that holds the database as it was at a moment.
#
#   docker/backup/restore-to.sh /backups/base-20260101T000000Z /archive /var/lib/postgresql/restored '2026-01-01 12:00:00+00'
#   docker/backup/restore-to.sh /backups/base-20260101T000000Z /archive /var/lib/postgresql/restored latest
#
# The moment must lie after the end of the base backup. Start Postgres on the directory, as the user who owns it and of the same
# major version: it replays the archive up to the moment, and then takes writes. With "latest" it replays all that is there.
set -eu
[ $# -eq 4 ] || { echo "usage: restore-to.sh BASE-BACKUP ARCHIVE DATA-DIRECTORY TIME|latest" >&2; exit 2; }
base=$1 archive=$2 data=$3 moment=$4

fail() { echo "$1" >&2; exit 1; }
[ -f "$base/backup_label" ] || fail "$base is no base backup: it has no backup_label"
[ -d "$archive" ] || fail "$archive is no directory"
[ ! -e "$data" ] || [ -z "$(ls -A "$data")" ] || fail "$data is not empty: restore into a new directory, and keep the old one"
case $moment in
  latest) ;;
  # Without a zone, Postgres would take its own.
  [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]\ [0-9][0-9]:[0-9][0-9]:[0-9]*[+-][0-9][0-9]*) ;;
  *) fail "'$moment' is no moment such as '2026-01-01 12:00:00+00' (with its zone), and not 'latest'" ;;
esac
for path in "$archive" "$moment"; do
  case $path in *\'*|*\\*) fail "$path may hold no quotes and no backslashes" ;; esac
done

pg_verifybackup --quiet "$base"
mkdir -p "$data"
cp -a "$base/." "$data/"
chmod 700 "$data"
{
  echo "restore_command = 'cp \"$archive/%f\" \"%p\"'"
  [ "$moment" = latest ] || echo "recovery_target_time = '$moment'"
  echo "recovery_target_action = 'promote'"
} >> "$data/postgresql.auto.conf"
touch "$data/recovery.signal"
echo "$data holds $base; start Postgres on it, and it goes on to: $moment"
