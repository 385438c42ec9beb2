#!/usr/bin/env bash
# The steps of the generated pipelines: `ops/pipelines/steps.sh plan|apply|drift STACK…`.
#
# What applies trusts no file that a job of a pull request could write. It plans again, and applies its own plan if that
# does what was approved: `main.py approval compare`. The lock file of a stack's last apply lies below APPLIED, where
# only the roles that apply may write; every step restores it, so that a new release of a provider changes nothing.
# A lock file that is committed beside the deployment file, as locks/STACK.lock.hcl, takes its place.
#
#   ROLE             the role to work with, in the account of the stacks
#   DEPLOYMENT       the deployment file
#   APPLIED          s3://BUCKET/PREFIX
#   STATE_ROLE       the role that the Terraform reads and writes the states with, if ROLE may not; for APPLIED too
#   STATE_READ_ROLE  plan, drift: the role to read them with instead; needed where there is a STATE_ROLE
#   STATE_KEY        apply: the KMS key that encrypts what lies below APPLIED, if it is not the bucket's own
#   APPROVAL         apply: the record of the approved plans
#   APPROVAL_DIGEST  apply: its digest
#   BRANCH           apply: the protected branch
#   GITHUB_TOKEN     apply, on GitHub: reads the repository, to ask for that branch's newest commit
#
# Providers come from their registry, unless the runner has settings of Terraform's own (TF_CLI_CONFIG_FILE, ~/.terraformrc).
# Only what plans may take them from a cache (TF_PLUGIN_CACHE_DIR).
set -euo pipefail
umask 077
step=$1
shift
stacks=("$@")

kakehashi=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
synthesised=${CDKTF_OUTDIR:-cdktf.out}
out=$synthesised
work=$PWD/plans
export TF_IN_AUTOMATION=1 TF_INPUT=0

fail() {
    echo "error: $1" >&2
    echo "hint: $2" >&2
    exit "${3:-1}"
}

# What the steps write, or Terraform takes providers from, is of this run alone: what is committed there was not reviewed.
refuse_committed() {
    local found
    found=$(git ls-files -- .cache approved cdktf.out plans terraform.d)
    if [ -n "$found" ]; then
        fail "${found%%$'\n'*}: it is committed, where this pipeline writes files of its own" \
            "remove it from the repository, and name its folder in .gitignore"
    fi
}

# Nothing runs with the role that applies before this holds.
refuse_unapproved() {
    local digest
    digest=$(sha256sum <"${APPROVAL:?the job has no record of approved plans}")
    if [ "${digest%% *}" != "${APPROVAL_DIGEST:?the job has no digest of approved plans}" ]; then
        fail "$APPROVAL: it is not the record that was approved" \
            "run the pipeline again for this commit, and approve what it shows"
    fi
}

# What was merged since may undo what an older run would apply.
refuse_outdated() {
    local newest credential=()
    if [ -n "${GITHUB_TOKEN:-}" ]; then
        # shellcheck disable=SC2016 # Git runs it, so that the token is in no argument
        credential=(-c "credential.${GITHUB_SERVER_URL:?}.helper="'!f() { echo username=x-access-token; echo "password=$GITHUB_TOKEN"; }; f')
    fi
    newest=$(git "${credential[@]}" ls-remote --exit-code origin "refs/heads/${BRANCH:?the job has no branch}" | cut -f 1) ||
        fail "the newest commit of $BRANCH cannot be read" "let the job read the repository"
    if [ "$newest" != "$(git rev-parse HEAD)" ]; then
        fail "this run is not of the newest commit of $BRANCH, $newest" "approve and apply the plan of that commit"
    fi
}

# Without settings, Terraform would also take providers from terraform.d, in this folder and in the stack's.
settle_terraform() {
    if [ "$step" = apply ]; then unset TF_PLUGIN_CACHE_DIR; fi
    if [ -n "${TF_CLI_CONFIG_FILE:-}" ] || [ -e ~/.terraformrc ]; then return; fi
    export TF_CLI_CONFIG_FILE=$work/.terraformrc
    printf 'provider_installation {\n  direct {}\n}\n' >"$TF_CLI_CONFIG_FILE"
}

main() { "$kakehashi/.venv/bin/python" "$kakehashi/main.py" "$@"; }

# AWS exchanges the platform's token of the job for the role's credentials, which are valid for an hour.
sign_in() {
    local token=$work/.token
    if [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]; then
        curl --silent --show-error --fail --retry 3 \
            --header @<(printf 'Authorization: bearer %s' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN") \
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" |
            python3 -I -c 'import json, sys; print(json.load(sys.stdin)["value"], end="")' >"$token"
    else
        printf %s "${AWS_ID_TOKEN:?the job has no id token}" >"$token"
    fi
    export AWS_CONFIG_FILE=$work/.aws AWS_PROFILE=role
    cat >"$AWS_CONFIG_FILE" <<END
[profile role]
role_arn = ${ROLE:?the job has no role: set the variable of the pipeline}
web_identity_token_file = $token
role_session_name = kakehashi
[profile states]
role_arn = ${STATE_READ_ROLE:-${STATE_ROLE:-}}
source_profile = role
END
}

# Writes standard input with one role in place of another, if there is the first.
with_role() {
    if [ -z "$1" ]; then cat; else
        python3 -I -c 'import sys; sys.stdout.write(sys.stdin.read().replace(*map("\"{}\"".format, sys.argv[1:])))' "$@"
    fi
}

# A plan does not hold the role that writes states: Terraform reads them with another one, from a copy of the output.
only_read_states() {
    if [ -z "${STATE_ROLE:-}" ]; then return; fi
    : "${STATE_READ_ROLE:?the job has no role that reads the states: set the variable of the pipeline}"
    out=$work/read
    rm -rf "$out"
    cp -R "$synthesised" "$out"
    for stack in "${stacks[@]}"; do
        # Written back, it would be shown as the other role.
        if grep -qF "\"$STATE_READ_ROLE\"" "$synthesised/stacks/$stack/cdk.tf.json"; then
            fail "$stack: it names the role that reads the states, $STATE_READ_ROLE, which its plan would not show" \
                "let that role be for the pipeline alone"
        fi
        with_role "$STATE_ROLE" "$STATE_READ_ROLE" <"$synthesised/stacks/$stack/cdk.tf.json" >"$out/stacks/$stack/cdk.tf.json"
    done
}

in_stack() {
    local stack=$1
    shift
    terraform -chdir="$out/stacks/$stack" "$@"
}

bucket() {
    local profile=role
    if [ -n "${STATE_ROLE:-}" ]; then profile=states; fi
    aws --profile "$profile" "$@"
}

# Fetches what the last apply wrote. That there is none is known from a list alone: a request for one object fails in
# the same way where it is missing and where it may not be read.
fetch() {
    local place=${APPLIED:?}/$1 found
    local name=${place#s3://}
    local key=${name#*/}
    rm -f "$2"
    found=$(bucket s3api list-objects-v2 --no-paginate --bucket "${name%%/*}" --prefix "$key" --output text \
        --query "length(Contents[?Key=='$key'] || \`[]\`)")
    case $found in
    0) ;;
    1) bucket s3 cp --only-show-errors "$place" "$2" ;;
    *) fail "$place: its bucket cannot be listed" "allow s3:ListBucket to the role" ;;
    esac
}

keep() {
    local key=()
    if [ -n "${STATE_KEY:-}" ]; then key=(--sse aws:kms --sse-kms-key-id "$STATE_KEY"); fi
    bucket s3 cp --only-show-errors "${key[@]}" "$1" "${APPLIED:?}/$2"
}

# Initialises a stack with the providers of its last apply, or with those of a committed lock file.
init() {
    local lock=$out/stacks/$1/.terraform.lock.hcl committed
    committed=$(dirname "${DEPLOYMENT:?}")/locks/$1.lock.hcl
    fetch "$1.lock.hcl" "$work/$1.applied.lock.hcl"
    mkdir -p "$work/applied/stacks/$1"
    fetch "$1.tf.json" "$work/applied/stacks/$1/cdk.tf.json"
    rm -rf "$lock" "$out/stacks/$1/.terraform"
    if [ -e "$committed" ]; then
        cp "$committed" "$lock"
    elif [ -e "$work/$1.applied.lock.hcl" ]; then
        cp "$work/$1.applied.lock.hcl" "$lock"
    fi
    if [ -e "$lock" ]; then
        in_stack "$1" init -lockfile=readonly
    else
        in_stack "$1" init
    fi
}

# Plans a stack, and writes what the review and the comparison read.
planned() {
    local stack=$1 code=0
    shift
    rm -f "$work/$stack".{tfplan,json,lock.hcl,tfstate}
    in_stack "$stack" plan -detailed-exitcode "$@" -out="$work/$stack.tfplan" || code=$?
    if [ "$code" -ne 0 ] && [ "$code" -ne 2 ]; then exit "$code"; fi
    changes=$code
    in_stack "$stack" show -json "$work/$stack.tfplan" | with_role "${STATE_READ_ROLE:-}" "${STATE_ROLE:-}" >"$work/$stack.json"
    in_stack "$stack" state pull >"$work/$stack.tfstate"
    if [ -e "$out/stacks/$stack/.terraform.lock.hcl" ]; then
        cp "$out/stacks/$stack/.terraform.lock.hcl" "$work/$stack.lock.hcl"
    fi
}

# The commit of a stack's last apply is part of what is applied next: an older run must not undo what came after it.
refuse_older() {
    local stack=$1 last=$work/$1.commit
    fetch "$stack.commit" "$last"
    if [ -e "$last" ] && ! git merge-base --is-ancestor "$(cat "$last")" HEAD; then
        fail "$stack: this run's commit does not contain the last applied one, $(cat "$last")" \
            "apply the branch's newest commit; if the branch was rewritten, first remove ${APPLIED:?}/$stack.commit"
    fi
}

apply() {
    local stack=$1 code=0
    refuse_older "$stack"
    init "$stack"
    planned "$stack" -lock-timeout=5m
    main approval compare "${APPROVAL:?}" "$work/$stack.json" --digest "${APPROVAL_DIGEST:?}" \
        --commit "$(git rev-parse HEAD)" --from "$synthesised" || code=$?
    if [ "$code" -eq 3 ]; then
        main review --for gitlab --outputs "$work/applied" "$synthesised" "$work/$stack.json" |
            tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}" || true
        fail "$stack: nothing was applied: its plan is another one than what was approved" \
            "run the pipeline again for this commit, and approve the new plan"
    elif [ "$code" -ne 0 ]; then
        exit "$code"
    fi
    # Before the apply: also one that stops half-way is newer than what was applied before.
    git rev-parse HEAD >"$work/$stack.commit"
    keep "$work/$stack.commit" "$stack.commit"
    # Terraform refuses a plan whose state has changed since.
    if [ "$changes" -ne 0 ]; then in_stack "$stack" apply -lock-timeout=5m "$work/$stack.tfplan"; fi
    if [ -e "$work/$stack.lock.hcl" ]; then keep "$work/$stack.lock.hcl" "$stack.lock.hcl"; fi
    keep "$synthesised/stacks/$stack/cdk.tf.json" "$stack.tf.json"
}

case $step in
plan | apply | drift) ;;
*) fail "$step: there is no such step" "plan, apply or drift" 2 ;;
esac
refuse_committed
if [ "$step" = apply ]; then
    refuse_unapproved
    refuse_outdated
fi
mkdir -p "$work/applied"
settle_terraform

case $step in
plan)
    sign_in
    only_read_states
    for stack in "${stacks[@]}"; do
        init "$stack"
        # The role of a plan may not write beside the states, so it cannot lock.
        planned "$stack" -lock=false
    done
    ;;
apply)
    unset STATE_READ_ROLE
    sign_in
    for stack in "${stacks[@]}"; do apply "$stack"; done
    ;;
drift)
    sign_in
    only_read_states
    found=0
    for stack in "${stacks[@]}"; do
        init "$stack"
        planned "$stack" -lock=false
        if [ "$changes" -ne 0 ]; then found=1; fi
    done
    exit "$found"
    ;;
esac
