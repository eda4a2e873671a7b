#!/bin/sh
# The archive_command of Postgres: keeps a finished WAL segment. Postgres calls it again until it ends with 0, and deletes the
# segment only then.
#
#   archive_mode = on
#   archive_timeout = 60
#   archive_command = '/backup/archive-wal.sh "%p" "%f" /archive'
set -eu
[ $# -eq 3 ] || { echo "usage: archive-wal.sh SEGMENT NAME ARCHIVE" >&2; exit 2; }
segment=$1 name=$2 archive=$3

if [ -e "$archive/$name" ]; then
  # Postgres may repeat itself after a crash. The same name with other content is another server's: keep hands off.
  cmp -s "$segment" "$archive/$name" && exit 0
  echo "$archive/$name is there already, with other content: does another server archive to this place?" >&2
  exit 1
fi
# Whole or not at all, and on disk before Postgres is told so.
cp "$segment" "$archive/.$name.$$"
sync "$archive/.$name.$$"
mv "$archive/.$name.$$" "$archive/$name"
sync "$archive"
