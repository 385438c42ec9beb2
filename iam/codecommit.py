"""CodeCommit's actions, by what they do to code.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
"""

PULL = "codecommit:GitPull"
PUSH = "codecommit:GitPush"
DELETE = "codecommit:DeleteRepository"
LIST = "codecommit:ListRepositories"
"""The one action that knows no repository."""

_READS = (
    "BatchDescribeMergeConflicts",
    "BatchGetCommits",
    "BatchGetPullRequests",
    "BatchGetRepositories",
    "DescribeMergeConflicts",
    "DescribePullRequestEvents",
    "EvaluatePullRequestApprovalRules",
    "GetApprovalRuleTemplate",
    "GetBlob",
    "GetBlobDifferences",
    "GetBranch",
    "GetComment",
    "GetCommentReactions",
    "GetCommentsForComparedCommit",
    "GetCommentsForPullRequest",
    "GetCommit",
    "GetCommitHistory",
    "GetCommitsFromMergeBase",
    "GetDifferences",
    "GetFile",
    "GetFolder",
    "GetMergeCommit",
    "GetMergeConflicts",
    "GetMergeOptions",
    "GetObjectIdentifier",
    "GetPullRequest",
    "GetPullRequestApprovalStates",
    "GetPullRequestOverrideState",
    "GetReferences",
    "GetRepository",
    "GetRepositoryTriggers",
    "GetTree",
    "GetUploadArchiveStatus",
    "GitPull",
    "ListApprovalRuleTemplates",
    "ListAssociatedApprovalRuleTemplatesForRepository",
    "ListBranches",
    "ListFileCommitHistory",
    "ListPullRequests",
    "ListRepositories",
    "ListRepositoriesForApprovalRuleTemplate",
    "ListTagsForResource",
)

_WRITES = (
    "AssociateApprovalRuleTemplateWithRepository",
    "BatchAssociateApprovalRuleTemplateWithRepositories",
    "BatchDisassociateApprovalRuleTemplateFromRepositories",
    "CancelUploadArchive",
    "CreateApprovalRuleTemplate",
    "CreateBranch",
    "CreateCommit",
    "CreatePullRequest",
    "CreatePullRequestApprovalRule",
    "CreateRepository",
    "CreateUnreferencedMergeCommit",
    "DeleteApprovalRuleTemplate",
    "DeleteBranch",
    "DeleteCommentContent",
    "DeleteFile",
    "DeletePullRequestApprovalRule",
    "DeleteRepository",
    "DisassociateApprovalRuleTemplateFromRepository",
    "GitPush",
    "MergeBranchesByFastForward",
    "MergeBranchesBySquash",
    "MergeBranchesByThreeWay",
    "MergePullRequestByFastForward",
    "MergePullRequestBySquash",
    "MergePullRequestByThreeWay",
    "OverridePullRequestApprovalRules",
    "PostCommentForComparedCommit",
    "PostCommentForPullRequest",
    "PostCommentReply",
    "PutCommentReaction",
    "PutFile",
    "PutRepositoryTriggers",
    "TagResource",
    "TestRepositoryTriggers",
    "UntagResource",
    "UpdateApprovalRuleTemplateContent",
    "UpdateApprovalRuleTemplateDescription",
    "UpdateApprovalRuleTemplateName",
    "UpdateComment",
    "UpdateDefaultBranch",
    "UpdatePullRequestApprovalRuleContent",
    "UpdatePullRequestApprovalState",
    "UpdatePullRequestDescription",
    "UpdatePullRequestStatus",
    "UpdatePullRequestTitle",
    "UpdateRepositoryDescription",
    "UpdateRepositoryEncryptionKey",
    "UpdateRepositoryName",
    "UploadArchive",
)

READS = tuple(f"codecommit:{name}" for name in _READS)
WRITES = tuple(f"codecommit:{name}" for name in _WRITES)
"""Everything else: code, refs, settings, and what could carry code out, such as triggers and archives."""

MIRRORING = frozenset((PUSH, "codecommit:UpdateDefaultBranch"))
"""The writes that a mirror consists of; nobody here has any other."""
