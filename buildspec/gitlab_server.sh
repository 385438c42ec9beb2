#!/bin/sh
# Brings a GitLab server to what its configuration says: `server configure` at the first boot and whenever Systems Manager
# calls, `server backup` every day.
#
# Each step looks first whether anything is left to do, so a second run changes nothing, and one that was cut off is
# taken up again. What became of a run stands in the parameter $PARAMETERS/configure or $PARAMETERS/backup.
set -eu
umask 077

# shellcheck source=/dev/null
. /etc/kakehashi/server.conf

readonly WANTED=/etc/kakehashi/gitlab.rb
readonly DROP_IN=/etc/gitlab/kakehashi.rb
readonly STATE=/var/lib/kakehashi # what this server, as opposed to its data volume, has been through
readonly DATA=/var/opt/gitlab
readonly KEPT=$DATA/.kakehashi # what a server that comes after this one needs
readonly LOG=/var/log/kakehashi.log
readonly SECURED=$KEPT/first-login # gitlab.rb reads it, too

# An ext4 label holds 16 characters.
readonly FILLING=kakehashi-new FILLED=kakehashi-data

export AWS_DEFAULT_REGION="$REGION" AWS_PAGER=""
if [ -n "$PROXY_URL" ]; then
    # Lower case for curl, which reads no other http_proxy.
    export http_proxy="$PROXY_URL" https_proxy="$PROXY_URL" no_proxy="$NO_PROXY_FOR_AWS"
fi

job=${1:-}
step="start"
outcome=ok
stopped= # whether GitLab stands still, and may go on where it stood

say() {
    echo "kakehashi: $job: $step: $*"
}

fail() {
    say "$*" >&2
    exit 1
}

# GitLab's own programs say much: the console gets it only when they fail.
quietly() {
    "$@" >>"$LOG" 2>&1 </dev/null 9>&- && return # without the lock, which a service would go on holding
    tail -n 20 "$LOG" >&2
    fail "failed: $*; $LOG has all of it"
}

report() {
    status=$?
    trap - EXIT
    if [ "$status" -ne 0 ]; then
        outcome="failed: $step"
        # cloud-init's output reaches the console by itself, that of Systems Manager does not.
        { say "FAILED" >/dev/console; } 2>/dev/null || true
        say "FAILED" >&2
        [ -z "$stopped" ] || gitlab-ctl start >>"$LOG" 2>&1 || true
    fi
    told=$(aws ssm get-parameter --name "$PARAMETERS/$job" --query Parameter.Value --output text 2>/dev/null) || told=
    if [ "$told" != "$outcome" ]; then
        aws ssm put-parameter --name "$PARAMETERS/$job" --type String --overwrite --value "$outcome" >/dev/null ||
            say "the outcome could not be written to $PARAMETERS/$job" >&2
    fi
    exit "$status"
}

# Puts standard input in place of a file that says something else; fails where it says the same already.
replaced() {
    cat >"$1.new"
    if cmp -s "$1.new" "$1"; then
        rm "$1.new"
        return 1
    fi
    mv "$1.new" "$1"
}

mount_data_volume() {
    step="data volume"
    # https://docs.aws.amazon.com/ebs/latest/userguide/nvme-ebs-volumes.html
    device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_$(echo "$DATA_VOLUME" | tr -d -)
    wait_for "$device"
    if mountpoint -q "$DATA"; then
        grow "$device"
        say "$DATA_VOLUME is mounted"
        return
    fi
    label=$(label_of "$device")
    case $label in
        "")
            say "making a file system on $DATA_VOLUME"
            mkfs.ext4 -q -L "$FILLING" "$device"
            fill "$device"
            ;;
        "$FILLING") fill "$device" ;;
        "$FILLED") ;;
        *) fail "$DATA_VOLUME holds $label, which is not GitLab's: nothing was written to it" ;;
    esac
    # Only now: a reboot while it was being filled would have put half of the data in place.
    line="$device $DATA ext4 defaults,nofail 0 2"
    if ! grep -qxF "$line" /etc/fstab; then
        sed -i "\\| ${DATA} ext4 |d" /etc/fstab
        echo "$line" >>/etc/fstab
    fi
    mkdir -p "$DATA"
    chmod 0755 "$DATA"
    mount "$DATA"
    grow "$device"
    say "$DATA_VOLUME is mounted"
    if enabled; then quietly gitlab-ctl start; fi
}

# Terraform attaches the volume after the server has started.
wait_for() {
    tries=0
    until [ -e "$1" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 180 ] || fail "$DATA_VOLUME was not attached within 15 minutes"
        sleep 5
    done
}

# The label of a file system, nothing where there is none, and `something else` where there is anything else.
label_of() {
    if found=$(blkid -p -o export "$1"); then
        label=$(echo "$found" | sed -n 's/^LABEL=//p')
        echo "${label:-something else}"
    elif [ $? -ne 2 ]; then # blkid's answer for an empty volume
        echo "something else"
    fi
}

# Takes over what the image, or a server from before there was a volume, has put where the volume goes. Those files
# stay as they are, below the mount.
fill() {
    if [ -d "$DATA" ]; then
        if enabled; then
            stopped=yes
            quietly gitlab-ctl stop
        fi
        mkdir -p "$STATE/filling"
        mount "$1" "$STATE/filling"
        cp -a "$DATA/." "$STATE/filling/"
        umount "$STATE/filling"
    fi
    e2label "$1" "$FILLED"
    stopped= # from here on, GitLab must not write to what is below the mount
}

grow() {
    quietly resize2fs "$1"
}

# Whether GitLab has services here that could run.
enabled() {
    [ -n "$(ls /opt/gitlab/service 2>/dev/null)" ]
}

# A server that follows another on the same volume goes on with that one's /etc/gitlab: without its
# gitlab-secrets.json, mirrors' passwords and two-factor logins in the database could not be read any more.
take_over() {
    step="configuration of an earlier server"
    if [ -d "$KEPT/etc" ] && [ ! -e "$STATE/gitlab.rb" ]; then
        cp -a "$KEPT/etc/." /etc/gitlab/
        say "taken over"
    fi
}

keep() {
    step="configuration for a later server"
    mkdir -p "$KEPT"
    diff -rq /etc/gitlab "$KEPT/etc" >/dev/null 2>&1 && return
    rm -rf "$KEPT/etc.new"
    cp -a /etc/gitlab "$KEPT/etc.new"
    rm -rf "${KEPT:?}/etc"
    mv "$KEPT/etc.new" "$KEPT/etc"
    say "kept on the data volume"
}

# GitLab's nginx does not start without a certificate. This one is replaced by putting another in its place.
make_certificate() {
    step="certificate"
    [ -n "$CERTIFICATE_HOST" ] || return 0
    install -d -m 0755 /etc/gitlab/ssl
    certificate=/etc/gitlab/ssl/$CERTIFICATE_HOST.crt
    if [ ! -e "$certificate" ]; then
        quietly openssl req -x509 -newkey rsa:4096 -nodes -days 825 -subj "/CN=GitLab" \
            -addext "subjectAltName=$CERTIFICATE_NAME" \
            -keyout "/etc/gitlab/ssl/$CERTIFICATE_HOST.key" -out "$certificate.new"
        chmod 0644 "$certificate.new"
        mv "$certificate.new" "$certificate"
    fi
    fingerprint=$(openssl x509 -noout -fingerprint -sha256 -in "$certificate")
    say "SHA-256 fingerprint ${fingerprint#*=}"
}

# The rest of gitlab.rb stays as it is.
configure_gitlab() {
    step="gitlab.rb"
    line="from_file '$DROP_IN'"
    if cmp -s "$WANTED" "$DROP_IN" && cmp -s "$WANTED" "$STATE/gitlab.rb" && grep -qxF "$line" /etc/gitlab/gitlab.rb; then
        say "nothing has changed"
        return
    fi
    install -m 0600 "$WANTED" "$DROP_IN"
    grep -qxF "$line" /etc/gitlab/gitlab.rb || printf '\n%s\n' "$line" >>/etc/gitlab/gitlab.rb
    # Counts for a database that is only now being made, where GitLab's image would give root the instance's id.
    GITLAB_ROOT_PASSWORD=$(openssl rand -hex 24)
    export GITLAB_ROOT_PASSWORD
    quietly gitlab-ctl reconfigure
    unset GITLAB_ROOT_PASSWORD
    quietly gitlab-ctl restart gitaly
    install -m 0600 "$WANTED" "$STATE/gitlab.rb" # only now: a run that was cut off configures again
    say "configured"
}

# Ubuntu has it as a snap only. https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html
install_aws_cli() {
    step="AWS CLI"
    command -v aws >/dev/null && return
    folder=$STATE/aws-cli
    rm -rf "$folder"
    mkdir "$folder"
    archive="https://awscli.amazonaws.com/awscli-exe-linux-$(uname -m).zip"
    for part in "" .sig; do
        curl -fsS --retry 5 --max-time 600 -o "$folder/aws.zip$part" "$archive$part"
    done
    # apt needs gpgv, so the image has it: https://packages.ubuntu.com/noble/apt. It reads keys without armour only, and
    # is content with an expired key, for which it says EXPKEYSIG instead of GOODSIG.
    sed '1,/^-----BEGIN/d; /^=/,$d' /etc/kakehashi/aws-cli.asc | base64 -d >"$folder/key.gpg"
    verified=$(gpgv -q --status-fd 1 --keyring "$folder/key.gpg" "$folder/aws.zip.sig" "$folder/aws.zip" 2>>"$LOG") ||
        verified=
    echo "$verified" | grep -q '^\[GNUPG:\] GOODSIG ' ||
        fail "$archive is not signed with AWS's key, or the key in /etc/kakehashi/aws-cli.asc has expired"
    python3 -m zipfile -e "$folder/aws.zip" "$folder"
    chmod +x "$folder/aws/install" "$folder/aws/dist/aws" # which Python's zipfile forgets
    (umask 022 && quietly "$folder/aws/install")
    rm -rf "$folder"
    say "installed"
}

# Root's password is set once, and not where root has signed in before. GitLab knows it first: a run that is cut off
# before Systems Manager does sets another. Only then does nginx start.
secure_first_login() {
    step="first login"
    [ ! -e "$SECURED" ] || return 0
    password=$(openssl rand -hex 20)
    # shellcheck disable=SC2016 # it is Ruby
    said=$(printf %s "$password" | gitlab-rails runner '
        Gitlab::CurrentSettings.update!(signup_enabled: false)
        root = User.find_by!(username: "root")
        if root.sign_in_count.zero?
          password = $stdin.read
          root.update!(password: password, password_confirmation: password, password_automatically_set: false)
          puts "kakehashi: set"
        end
    ' 2>>"$LOG")
    if echo "$said" | grep -qxF "kakehashi: set"; then
        printf %s "$password" | aws ssm put-parameter --name "$PARAMETERS/root-password" --type SecureString \
            --overwrite --value file:///dev/stdin >/dev/null
        say "sign-up is off, and root's password is in $PARAMETERS/root-password"
    else
        say "sign-up is off, and root keeps the password it has signed in with"
    fi
    : >"$STATE/gitlab.rb" # it was applied with nginx switched off
    touch "$SECURED"
    configure_gitlab
}

# Persistent: a server that was off at that time makes up for it when it starts.
schedule_backups() {
    step="daily backup"
    new=
    replaced /etc/systemd/system/kakehashi-backup.service <<UNIT && new=yes
[Unit]
Description=Backup of GitLab and its configuration to S3

[Service]
Type=oneshot
ExecStart=/opt/kakehashi/server backup
UNIT
    replaced /etc/systemd/system/kakehashi-backup.timer <<UNIT && new=yes
[Unit]
Description=Daily backup of GitLab

[Timer]
OnCalendar=*-*-* $BACKUP_AT:00 UTC
Persistent=true

[Install]
WantedBy=timers.target
UNIT
    [ -n "$new" ] || return 0
    quietly systemctl daemon-reload
    quietly systemctl enable kakehashi-backup.timer
    quietly systemctl restart kakehashi-backup.timer
    say "scheduled for $BACKUP_AT UTC"
}

configure() {
    # User data has removed the image's own script before, if there was user data.
    rm -f /var/lib/cloud/scripts/per-instance/gitlab
    mount_data_volume
    take_over
    make_certificate
    configure_gitlab
    keep
    install_aws_cli
    secure_first_login
    schedule_backups
}

# Both halves: the application's backup has no secrets in it, and is of no use without them.
# https://docs.gitlab.com/administration/backup_restore/backup_gitlab/#data-not-included-in-a-backup
backup() {
    name=kakehashi-$(date -u +%Y-%m-%dT%H%M%SZ)_$(cat /opt/gitlab/embedded/service/gitlab-rails/VERSION)
    step="application"
    mountpoint -q "$DATA" || fail "the data volume is not mounted"
    rm -f "$DATA"/backups/kakehashi-* # what a run that was cut off has left
    quietly gitlab-backup create "BACKUP=$name" CRON=1
    upload "$DATA/backups/${name}_gitlab_backup.tar" "$name/application.tar"
    step="configuration"
    rm -rf "$STATE/configuration"
    quietly gitlab-ctl backup-etc --backup-path "$STATE/configuration"
    upload "$(find "$STATE/configuration" -name '*.tar')" "$name/configuration.tar"
    outcome="ok: $name"
    say "s3://$BACKUP_BUCKET/$name"
}

upload() {
    quietly aws s3 cp --only-show-errors "$1" "s3://$BACKUP_BUCKET/$2"
    rm "$1"
}

case $job in
    configure | backup) ;;
    *)
        echo "usage: $0 configure|backup" >&2
        exit 2
        ;;
esac
trap report EXIT
mkdir -p "$STATE"
exec 9>"$STATE/lock"
flock -w 1800 9 || fail "another run has not ended within half an hour"
"$job"
