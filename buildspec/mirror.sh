#!/usr/bin/env bash
# Mirrors the heads and tags of SOURCE_URL into TARGET_URL.
#
# A pass reads the refs of both ends, fetches what differs into a bare copy and pushes it. Passes follow each other until
# the ends are equal, so a push that arrives meanwhile is not lost; and whatever a killed build left behind, the next one
# starts from what the ends say. CACHE is where the copy stays between builds: `s3`, in the build's folder, which
# CodeBuild keeps; `efs`, in the file system; `none`, nowhere, because the target holds what was mirrored before.
#
# In a subshell: CodeBuild runs all commands in one shell, whose options are not ours to change.
(
    set -euo pipefail
    export LC_ALL=C # comm wants everything sorted alike
    export GIT_DEFAULT_HASH=sha1 GIT_DEFAULT_REF_FORMAT=files # as long as both ends have them; Git 3 has other defaults

    # https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
    changes_per_push=4000
    most_passes=10
    # Without a cache: how far back the target's branches are borrowed, and how far back the source is asked for what is
    # new. Where it begins less than the difference back, the source sends nothing that the target has.
    borrowed_depth=100
    new_depth=25
    mirrored=('+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*')

    exec 3>&1
    say() { printf 'mirror: %s\n' "$*" >&3; }
    stop() {
        say "stopped: $*"
        exit 1
    }

    # Runs a command, and says what it did ($1), what went over the network meanwhile and how long it took.
    step() {
        local what=$1 status=0 started=${EPOCHREALTIME/./} in_before out_before in_after out_after
        shift
        read -r in_before out_before < <(traffic)
        "$@" || status=$?
        read -r in_after out_after < <(traffic)
        [ "$status" = 0 ] || what="failed: $what"
        say "$what: $((in_after - in_before)) bytes in, $((out_after - out_before)) bytes out," \
            "$(((${EPOCHREALTIME/./} - started) / 1000)) ms"
        return "$status"
    }

    traffic() {
        awk 'NR > 2 { sub(".*:", ""); received += $1; sent += $9 } END { printf "%.0f %.0f\n", received, sent }' \
            /proc/net/dev || echo 0 0
    }

    in_copy() { git -C "$copy" "$@"; }
    names() { cut -d ' ' -f 1 "$@"; }
    count() { wc -l <"$work/$1"; }

    # Only the key of this space, only host keys that were pinned, and never a question.
    set_up_ssh() {
        (umask 077 && printf '%s\n' "$SSH_PRIVATE_KEY" >"$work/key")
        unset SSH_PRIVATE_KEY
        printf '%s\n' "$KNOWN_HOSTS" >"$work/known_hosts"
        GIT_SSH_COMMAND="ssh -F /dev/null -i $work/key -o IdentitiesOnly=yes -o BatchMode=yes"
        GIT_SSH_COMMAND+=" -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$work/known_hosts"
        GIT_SSH_COMMAND+=" -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=30 -o ServerAliveInterval=30"
        export GIT_SSH_COMMAND GIT_TERMINAL_PROMPT=0
    }

    # Builds of one repository share its copy on the file system: one at a time.
    lock() {
        exec 9>"$CODEBUILD_CACHE/$MIRROR_KEY.lock"
        flock --nonblock 9 || step "waited for another build of this repository" flock 9
    }

    # Compares the ends: $work/changed is what the target lacks, $work/gone what only the target has.
    look() {
        # The target first: what it has and the source, asked later, has not, was deleted there.
        list target "$TARGET_URL"
        list source "$SOURCE_URL"
        default=$(awk '$1 == "ref:" && $3 == "HEAD" { print substr($2, length("refs/heads/") + 1) }' "$work/answer")
        comm -13 "$work/target" "$work/source" >"$work/changed"
        comm -13 <(names "$work/source") <(names "$work/target") >"$work/gone"
    }

    # The heads and tags of one end, `name id` a line.
    list() {
        step "read the refs of the $1" \
            git ls-remote --symref "$2" >"$work/answer" 2>"$work/error" || unreadable "$1"
        awk '$1 != "ref:" && $2 ~ "^refs/(heads|tags)/" && substr($2, length($2) - 2) != "^{}" { print $2, $1 }' \
            "$work/answer" | sort >"$work/$1"
    }

    unreadable() {
        cat "$work/error" >&2
        case $(<"$work/error") in
        *'Host key verification failed'*)
            stop "the source shows a host key that is not pinned. Somebody may be in between. If Backlog has new keys," \
                "compare their fingerprints by eye before pinning them in known_hosts"
            ;;
        *'Permission denied'*)
            stop "the source refuses the SSH key. Register its public half with the Backlog user, and check the parameter"
            ;;
        *) stop "the $1 cannot be read" ;;
        esac
    }

    # To mirror an emptied source would be to empty the target.
    guard() {
        local had gone
        had=$(count target) gone=$(count gone)
        [[ $'\n'$(<"$work/source") == *$'\n'refs/heads/* ]] ||
            stop "the source has no branch; nothing was pushed. If that is right, empty the target by hand"
        if ((gone >= 10 && gone * 100 > had * MAX_LOST_PERCENT && gone > ALLOW_DELETIONS)); then
            stop "the source lacks $gone of the target's $had refs, more than $MAX_LOST_PERCENT %; nothing was pushed." \
                "If that is right, allow it once: aws codebuild start-build --project-name ${CODEBUILD_BUILD_ID%%:*}" \
                "--environment-variables-override name=ALLOW_DELETIONS,value=$gone"
        fi
    }

    # Fetches from the source what the target lacks.
    bring() {
        if [ "$CACHE" = none ] && [ "$whole" = no ] && [ -s "$work/target" ]; then
            # Asked for by name, thousands would take Git minutes.
            [ "$(count changed)" -gt 1000 ] || ! bring_recent || return 0
            say "the newest commits are not enough"
            whole=yes
        fi
        bring_all
    }

    # With the target's newest commits at hand, the source sends only newer ones. Fails where the two do not meet.
    bring_recent() {
        local cut_off
        new_copy || return
        [ -s "$work/changed" ] || return 0
        step "borrowed the newest commits from the target" \
            in_copy fetch --quiet --no-tags --depth="$borrowed_depth" "$TARGET_URL" '+refs/heads/*:refs/borrowed/*' &&
            in_copy rev-list --glob='refs/borrowed/*' | sort >"$work/borrowed" || return
        cp "$copy/shallow" "$work/shallow" 2>/dev/null || : >"$work/shallow" # a short history is not cut off
        awk '{ print "+" $1 ":" $1 }' "$work/changed" >"$work/refspecs"
        step "fetched $(count changed) refs from the source" \
            in_copy fetch --quiet --no-tags --depth="$new_depth" --stdin "$SOURCE_URL" <"$work/refspecs" || return
        # The source cuts off at its own depth. Where that lies among what was borrowed, nothing is missing.
        [ -f "$copy/shallow" ] || return 0
        cut_off=$(sort "$copy/shallow" | comm -23 - "$work/borrowed") && [ -z "$cut_off" ] &&
            cp "$work/shallow" "$copy/shallow"
    }

    # Everything, in a copy that is kept. A new one starts with what the target has, which is near.
    bring_all() {
        if usable; then
            mkdir -p "$copy/refs" "$copy/objects" # an S3 cache keeps no empty folders
        else
            say "starting a new copy"
            new_copy || return
            [ ! -s "$work/target" ] || step "borrowed $(count target) refs from the target" \
                in_copy fetch --quiet --no-tags --no-write-fetch-head "$TARGET_URL" "${mirrored[@]}" || return
        fi
        rm -f "$copy/finished" || return
        step "fetched $(count changed) refs from the source" \
            in_copy fetch --quiet --no-tags --no-write-fetch-head --prune "$SOURCE_URL" "${mirrored[@]}" || return
        inventory >"$work/finished" && cp "$work/finished" "$copy/finished"
    }

    new_copy() {
        rm -rf "$copy" && git init --quiet --bare --template= "$copy" &&
            in_copy config gc.autoDetach false && in_copy config maintenance.autoDetach false
    }

    # Whether the copy is this source's, and as it was when a build had finished with it.
    usable() { [ -f "$copy/finished" ] && inventory | cmp --silent - "$copy/finished"; }
    inventory() { printf '%s\n' "$SOURCE_URL" && find "$copy" -type f ! -name finished -printf '%s %P\n' | sort; }

    # What to push ($work/new, what the copy has and the target lacks) and to delete. A ref cannot be created while
    # another is in its way, as `a` is for `a/b`; those are deleted first, all others last.
    plan() {
        in_copy for-each-ref --format='%(refname) %(objectname)' refs/heads refs/tags | sort |
            comm -13 "$work/target" - >"$work/new" &&
            comm -23 "$work/gone" <(names "$work/new") >"$work/deleted" &&
            awk 'NR == FNR { new[$1]; for (path = $1; sub("/[^/]*$", "", path);) folder[path]; next }
                 { way = $1 in folder; for (path = $1; sub("/[^/]*$", "", path);) if (path in new) way = 1 } way' \
                "$work/new" "$work/deleted" >"$work/in_the_way"
    }

    # CodeCommit keeps no content of Git LFS, only the pointers to it that are in the history.
    check_lfs() {
        local id path found=
        names "$work/new" | in_copy rev-list --objects --no-walk --stdin |
            awk '/^[^ ]+ (.*\/)?\.gitattributes$/' >"$work/attributes" || return
        while read -r id path; do
            ! in_copy cat-file blob "$id" | grep 'filter=lfs' >/dev/null || found=$path
        done <"$work/attributes"
        [ -n "$found" ] || return 0
        [ "$LFS" = warn ] || stop "the source uses Git LFS ($found), whose content the target cannot hold; nothing was" \
            "pushed. With 'lfs: warn' everything else is mirrored"
        say "WARNING: the source uses Git LFS ($found); the content of such files does not reach the target"
    }

    deliver() {
        if [ -s "$work/in_the_way" ]; then
            follow_default_branch target
            delete "deletions of refs that are in the way" <"$work/in_the_way" || return
        fi
        push <"$work/new" || return
        follow_default_branch source
        comm -23 "$work/deleted" "$work/in_the_way" | delete "deletions"
    }

    # Pushes the refs it is given, as many at a time as the target takes, each time from a repository that has these refs
    # alone and the copy's objects: by name instead of by pattern, thousands take Git minutes.
    push() {
        local refs batch="$work/batch.git"
        while mapfile -t -n "$changes_per_push" refs && ((${#refs[@]})); do
            rm -rf "$batch" && git init --quiet --bare --template= "$batch" || return
            printf '%s\n' "$copy/objects" >"$batch/objects/info/alternates"
            [ ! -f "$copy/shallow" ] || cp "$copy/shallow" "$batch/shallow" || return
            printf '%s\n' "${refs[@]}" | awk '{ print $2, $1 }' >"$batch/packed-refs"
            step "pushed ${#refs[@]} new or moved refs" \
                git -C "$batch" push --quiet "$TARGET_URL" "${mirrored[@]}" </dev/null || return
        done
    }

    delete() {
        local names
        while mapfile -t -n "$changes_per_push" names && ((${#names[@]})); do
            step "pushed ${#names[@]} $1" in_copy push --quiet "$TARGET_URL" "${names[@]/#/:}" </dev/null || return
        done
    }

    # Makes the source's default branch the target's, provided that the target has it, which the list of end $1 says.
    # https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdateDefaultBranch.html
    follow_default_branch() {
        [[ -n $default && $'\n'$(<"$work/$1") == *$'\n'"refs/heads/$default "* ]] || return 0
        [ -n "$target_default" ] || target_default=$(codecommit get-repository --output text \
            --query repositoryMetadata.defaultBranch) || stop "the target's default branch cannot be read"
        [ "$default" != "$target_default" ] || return 0
        step "changed the default branch from $target_default to $default" \
            codecommit update-default-branch --default-branch-name "$default" ||
            stop "the target's default branch cannot be changed"
        target_default=$default
    }

    codecommit() {
        local region=${TARGET_URL#codecommit::} command=$1
        shift
        aws codecommit "$command" --region "${region%%:*}" --repository-name "${TARGET_URL##*/}" "$@"
    }

    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    set_up_ssh
    whole=no target_default='' failures=0
    case $CACHE in
    s3) copy="$CODEBUILD_SRC_DIR/mirror.git" ;;
    efs)
        copy="$CODEBUILD_CACHE/$MIRROR_KEY.git"
        lock
        ;;
    none) copy="$work/copy.git" ;;
    esac

    for ((pass = 1; pass <= most_passes; pass++)); do
        look
        if [ ! -s "$work/changed" ] && [ ! -s "$work/gone" ]; then
            follow_default_branch source
            say "done: the target has the source's $(count source) refs"
            exit 0
        fi
        guard
        say "the target lacks $(count changed) refs, and has $(count gone) that are gone"
        if ! { bring && plan && check_lfs && deliver; }; then
            # Another build may have been quicker, or the copy is broken, or the target took offence.
            failures=$((failures + 1))
            [ "$failures" -lt 3 ] || stop "three passes failed"
            [ "$failures" -lt 2 ] || { whole=yes && rm -f "$copy/finished"; }
        fi
    done
    stop "the source still changes after $most_passes passes; the next build goes on"
)
