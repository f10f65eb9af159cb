#!/bin/sh
# Remember the pages of the release that is current now, and forget those of every other one.
#
#     deploy/purge.sh RELEASES CACHE RELEASE-CONF
#
# as in: deploy/purge.sh /srv/facts/releases /var/cache/nginx/kg /etc/nginx/kg-release.conf && nginx -s reload
# Run it after `kg build`, `kg releases activate` or `kg releases rollback`.
set -eu
releases=$1 cache=$2 conf=$3

version=$(readlink "$releases/current")
# Renamed into place: nginx never reads half of it.
printf 'map "" $kg_release { default "%s"; }\n' "$version" > "$conf.new"
mv "$conf.new" "$conf"

# Each file of the cache has its key in a line of its head; the key begins with the release.
if [ -d "$cache" ]; then
    find "$cache" -type f | while IFS= read -r file; do
        head -c 4096 "$file" | grep -aq "^KEY: $version|" || rm -f -- "$file"
    done
fi
