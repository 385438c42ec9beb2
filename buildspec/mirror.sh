#!/usr/bin/env bash
# Mirrors the heads and tags of SOURCE_URL into TARGET_URL, by way of a bare copy that is kept between builds.
# In a subshell: CodeBuild runs all commands in one shell, whose options are not ours to change.
(
    set -euo pipefail

    say() { printf 'mirror: %s\n' "$*"; }

    refspecs=('+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*')

    secrets=$(mktemp -d)
    trap 'rm -rf "$secrets"' EXIT
    (umask 077 && printf '%s\n' "$SSH_PRIVATE_KEY" >"$secrets/key")
    unset SSH_PRIVATE_KEY
    printf '%s\n' "$KNOWN_HOSTS" >"$secrets/known_hosts"
    # Only the key of this space, only host keys that were pinned, and never a question.
    ssh="ssh -F /dev/null -i $secrets/key -o IdentitiesOnly=yes -o BatchMode=yes"
    ssh="$ssh -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$secrets/known_hosts -o GlobalKnownHostsFile=/dev/null"
    export GIT_SSH_COMMAND="$ssh"
    export GIT_TERMINAL_PROMPT=0

    if [ "$CACHE" = efs ]; then
        copy="$CODEBUILD_CACHE/$MIRROR_KEY.git"
        # Builds of one repository share this copy: one at a time.
        exec 9>"$CODEBUILD_CACHE/$MIRROR_KEY.lock"
        flock 9
    else
        copy="$CODEBUILD_SRC_DIR/mirror.git"
    fi

    # An S3 cache keeps no empty folders, and Git knows a repository by these two.
    [ ! -f "$copy/HEAD" ] || mkdir -p "$copy/refs" "$copy/objects"
    if [ "$(git -C "$copy" config --get remote.source.url 2>/dev/null)" = "$SOURCE_URL" ] &&
        git -C "$copy" fsck --connectivity-only --no-dangling >/dev/null 2>&1; then
        say "using the copy of an earlier build"
    else
        say "starting a new copy"
        rm -rf "$copy"
        git init --quiet --bare "$copy"
        git -C "$copy" config remote.source.url "$SOURCE_URL"
    fi
    # A build that was stopped may have left its lock files.
    find "$copy" -name '*.lock' -type f -delete

    say "fetching from the source"
    git -C "$copy" fetch --quiet --prune --no-tags --no-write-fetch-head source "${refspecs[@]}"
    heads=$(git -C "$copy" for-each-ref --format=x refs/heads | wc -l)
    tags=$(git -C "$copy" for-each-ref --format=x refs/tags | wc -l)
    say "the source has $heads heads and $tags tags"
    if [ "$heads" -eq 0 ]; then
        # To mirror nothing would be to delete everything.
        say "stopped before pushing: the source has no branch" >&2
        exit 1
    fi

    say "pushing to the target"
    git -C "$copy" push --quiet --prune "$TARGET_URL" "${refspecs[@]}"
    say "done"
)
