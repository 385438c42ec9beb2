# shellcheck shell=sh
# shellcheck disable=SC2034 # the stand-ins use these
DATABASE=/var/opt/gitlab/postgresql
SECRETS=/etc/gitlab/gitlab-secrets.json

# Records each call of a stand-in. /srv/end_at says which call fails or kills the program.
called() {
    echo "$*" >>/srv/calls
    [ -e /srv/end_at ] || return 0
    read -r number how </srv/end_at || true
    [ "$(wc -l </srv/calls)" -eq "$number" ] || return 0
    echo "made to $how: $*" >&2
    [ "$how" = fail ] || kill -9 "$PPID"
    exit 1
}
