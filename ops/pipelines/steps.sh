#!/usr/bin/env bash
# The steps of the generated pipelines: `ops/pipelines/steps.sh plan|keep|fetch|apply|drift STACK…`.
#
# A plan has sensitive values, so it is stored in the bucket of the states, below PLANS, and never among the platform's
# artifacts. Its key is the content of the commit (the tree), which a merge of an up-to-date branch does not change. If
# the branch was not up to date, there is no plan for the content, and nothing is applied.
#
#   ROLE             the role to work with, in the account of the stacks
#   PLANS            s3://BUCKET/PREFIX
#   PLANS_ROLE       a role to reach that bucket with, if ROLE may not
#   PLANS_KEY        the KMS key that encrypts them, if it is not the bucket's own
#   REVIEWED_DIGEST  apply: the digest that fetch printed for the approved plans
set -euo pipefail
umask 077
step=$1
shift
stacks=("$@")

out=${CDKTF_OUTDIR:-cdktf.out}
work=$PWD/plans
mkdir -p "$work"
export TF_IN_AUTOMATION=1 TF_INPUT=0

# AWS exchanges the platform's token of the job for the role's credentials, which are valid for an hour.
sign_in() {
    local token=$work/.token
    if [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]; then
        curl --silent --show-error --fail --retry 3 \
            --header @<(printf 'Authorization: bearer %s' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN") \
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" |
            python3 -c 'import json, sys; print(json.load(sys.stdin)["value"], end="")' >"$token"
    else
        printf %s "${AWS_ID_TOKEN:?the job has no id token}" >"$token"
    fi
    export AWS_CONFIG_FILE=$work/.aws AWS_PROFILE=role
    cat >"$AWS_CONFIG_FILE" <<END
[profile role]
role_arn = ${ROLE:?the job has no role: set the variable of the pipeline}
web_identity_token_file = $token
role_session_name = kakehashi
[profile plans]
role_arn = ${PLANS_ROLE:-}
source_profile = role
END
}

in_stack() {
    local stack=$1
    shift
    terraform -chdir="$out/stacks/$stack" "$@"
}

bucket() {
    local key=()
    if [ -n "${PLANS_KEY:-}" ] && [ "$1" = to ]; then key=(--sse aws:kms --sse-kms-key-id "$PLANS_KEY"); fi
    aws --profile "${PLANS_ROLE:+plans}${PLANS_ROLE:-role}" s3 cp --only-show-errors "${key[@]}" "$2" "$3"
}

# For the review: the lock files of this plan, and of the last apply if there was one, and that apply's Terraform.
locks() {
    cp "$out/stacks/$1/.terraform.lock.hcl" "$work/$1.lock.hcl"
    bucket from "${PLANS:?}/applied/$1.lock.hcl" "$work/$1.applied.lock.hcl" 2>/dev/null || true
    mkdir -p "$work/applied/stacks/$1"
    bucket from "$PLANS/applied/$1.tf.json" "$work/applied/stacks/$1/cdk.tf.json" 2>/dev/null || true
}

kept() { printf '%s/%s/%s' "${PLANS:?}" "$(git rev-parse 'HEAD^{tree}')" "$1"; }

digest() { (cd "$work" && sha256sum -- "${stacks[@]/%/.tfplan}" | sha256sum | cut -d ' ' -f 1); }

case $step in
plan)
    sign_in
    for stack in "${stacks[@]}"; do
        in_stack "$stack" init
        # The role of a plan may not write beside the states, so it cannot lock. Terraform does not apply a plan that is stale.
        in_stack "$stack" plan -lock=false -out="$work/$stack.tfplan"
        in_stack "$stack" show -json "$work/$stack.tfplan" >"$work/$stack.json"
        locks "$stack"
    done
    ;;
keep)
    sign_in
    for stack in "${stacks[@]}"; do
        bucket to "$work/$stack.tfplan" "$(kept "$stack.tfplan")"
        bucket to "$out/stacks/$stack/.terraform.lock.hcl" "$(kept "$stack.lock.hcl")"
    done
    ;;
fetch | apply)
    sign_in
    for stack in "${stacks[@]}"; do
        if ! bucket from "$(kept "$stack.tfplan")" "$work/$stack.tfplan"; then
            echo "error: $stack: this commit's content was never planned in a reviewed change" >&2
            echo "hint: bring the branch up to date in a new change, and have it reviewed" >&2
            exit 1
        fi
        bucket from "$(kept "$stack.lock.hcl")" "$out/stacks/$stack/.terraform.lock.hcl"
        # The providers of the plan, not newer ones.
        in_stack "$stack" init -lockfile=readonly >&2
    done
    if [ "$step" = fetch ]; then
        for stack in "${stacks[@]}"; do
            in_stack "$stack" show -json "$work/$stack.tfplan" >"$work/$stack.json"
            locks "$stack"
        done
        digest
        exit
    fi
    if [ "$(digest)" != "${REVIEWED_DIGEST:?}" ]; then
        echo "error: the plans are not the ones that were approved" >&2
        echo "hint: run the pipeline again, and review what it shows" >&2
        exit 1
    fi
    # Terraform refuses a plan whose state has changed since.
    for stack in "${stacks[@]}"; do
        in_stack "$stack" apply -lock-timeout=5m "$work/$stack.tfplan"
        bucket to "$out/stacks/$stack/.terraform.lock.hcl" "$PLANS/applied/$stack.lock.hcl"
        bucket to "$out/stacks/$stack/cdk.tf.json" "$PLANS/applied/$stack.tf.json"
    done
    ;;
drift)
    sign_in
    found=0
    for stack in "${stacks[@]}"; do
        in_stack "$stack" init
        code=0
        in_stack "$stack" plan -lock=false -detailed-exitcode -out="$work/$stack.tfplan" || code=$?
        if [ "$code" -eq 1 ]; then exit 1; fi
        if [ "$code" -eq 2 ]; then found=1; fi
        in_stack "$stack" show -json "$work/$stack.tfplan" >"$work/$stack.json"
    done
    exit "$found"
    ;;
*)
    echo "error: $step: there is no such step" >&2
    echo "hint: plan, keep, fetch, apply or drift" >&2
    exit 2
    ;;
esac
