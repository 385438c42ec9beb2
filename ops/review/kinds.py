"""What each resource type is to whoever reviews a plan: it holds something, it opens a door, it guards, or neither.

A test holds this to every type that the stacks emit.
"""

# What is lost with an object of the type, by the rule that says so.
LOST: dict[str, dict[str, str]] = {
    "repository-lost": {
        "aws_codecommit_repository": "the repository with its whole history",
        "aws_ecr_repository": "the repository with its images",
        "aws_ecrpublic_repository": "the repository with its images",
    },
    "server-lost": {
        "aws_instance": "the server with what is on its root volume",
        "aws_spot_instance_request": "the server with what is on its root volume",
        "aws_lightsail_instance": "the server with its disk",
        "google_compute_instance": "the server with its boot disk",
        "azurerm_linux_virtual_machine": "the server with its disk",
        "azurerm_windows_virtual_machine": "the server with its disk",
    },
    "volume-lost": {
        "aws_ebs_volume": "the volume with its data",
        "google_compute_disk": "the disk with its data",
        "azurerm_managed_disk": "the disk with its data",
    },
    "bucket-lost": {
        "aws_s3_bucket": "the bucket with its objects",
        "aws_s3_object": "the object",
        "aws_s3_directory_bucket": "the bucket with its objects",
        "google_storage_bucket": "the bucket with its objects",
        "azurerm_storage_account": "the account with its blobs",
    },
    "file-system-lost": {
        "aws_efs_file_system": "the file system with its files",
        "aws_fsx_lustre_file_system": "the file system with its files",
        "aws_fsx_ontap_file_system": "the file system with its files",
        "aws_fsx_openzfs_file_system": "the file system with its files",
        "aws_fsx_windows_file_system": "the file system with its files",
    },
    "address-lost": {
        "aws_eip": "the public address: no allow-list that names it holds any more",
        "google_compute_address": "the address: no allow-list that names it holds any more",
        "azurerm_public_ip": "the address: no allow-list that names it holds any more",
    },
    "logs-lost": {
        "aws_cloudwatch_log_group": "the log group with its entries",
        "aws_cloudtrail_event_data_store": "the store with its events",
    },
    "secret-lost": {
        "aws_secretsmanager_secret": "the secret with its versions",
        "aws_secretsmanager_secret_version": "the secret's value",
        "aws_ssm_parameter": "the parameter's value",
        "aws_key_pair": "the key pair's name, which servers refer to",
        "aws_iam_access_key": "the key: who works with it is locked out",
        "aws_iam_service_specific_credential": "the credential: who works with it is locked out",
        "tls_private_key": "the private key",
        "random_password": "the password",
    },
    "key-lost": {
        "aws_kms_key": "the key, and with it whatever is encrypted under it",
        "aws_kms_replica_key": "the key, and with it whatever is encrypted under it in that region",
        "google_kms_crypto_key": "the key, and with it whatever is encrypted under it",
    },
    "backup-lost": {
        "aws_backup_vault": "the vault with its recovery points",
        "aws_ebs_snapshot": "the snapshot",
        "aws_ami": "the image",
        "aws_ami_copy": "the image",
        "aws_ami_from_instance": "the image",
        "aws_db_snapshot": "the snapshot",
    },
    "database-lost": {
        "aws_db_instance": "the database",
        "aws_rds_cluster": "the database",
        "aws_rds_cluster_instance": "an instance of the database",
        "aws_dynamodb_table": "the table with its items",
        "aws_elasticache_cluster": "the cache with its content",
        "aws_opensearch_domain": "the domain with its indices",
        "aws_redshift_cluster": "the database",
        "aws_docdb_cluster": "the database",
        "aws_neptune_cluster": "the database",
        "google_sql_database_instance": "the database",
    },
    "queue-lost": {
        "aws_sqs_queue": "the queue with the messages in it",
        "aws_kinesis_stream": "the stream with the records in it",
    },
}

# How somebody or something may get through an object of the type.
DOORS: dict[str, str] = {
    "aws_api_gateway_method": "who may call it, and whether they must prove who they are",
    "aws_api_gateway_rest_api": "which of its endpoints are public",
    "aws_api_gateway_rest_api_policy": "from where it may be called",
    "aws_cloudwatch_event_permission": "which accounts may send events",
    "aws_cloudwatch_event_target": "what an event sets off, and with which role",
    "aws_codebuild_project": "what a build runs, and with which role",
    "aws_default_security_group": "what the VPC lets through by default",
    "aws_ebs_snapshot_block_public_access": "whether snapshots may be public",
    "aws_efs_file_system_policy": "who may mount it",
    "aws_efs_mount_target": "in which subnet it can be mounted",
    "aws_iam_access_key": "a key that works from anywhere its policies let it",
    "aws_iam_group_membership": "whose policies a user has",
    "aws_iam_group_policy": "what the group's users may do",
    "aws_iam_group_policy_attachment": "what the group's users may do",
    "aws_iam_instance_profile": "with which role a server works",
    "aws_iam_openid_connect_provider": "who may sign in from elsewhere",
    "aws_iam_policy": "what whoever has it may do",
    "aws_iam_policy_attachment": "who may do what the policy says",
    "aws_iam_role": "who may take it on",
    "aws_iam_role_policy": "what the role may do",
    "aws_iam_role_policy_attachment": "what the role may do",
    "aws_iam_saml_provider": "who may sign in from elsewhere",
    "aws_iam_service_specific_credential": "a password for Git",
    "aws_iam_user": "somebody who may be let in",
    "aws_iam_user_group_membership": "whose policies a user has",
    "aws_iam_user_login_profile": "a password for the console",
    "aws_iam_user_policy": "what the user may do",
    "aws_iam_user_policy_attachment": "what the user may do",
    "aws_instance": "what it runs, from where it can be reached, and with which role",
    "aws_internet_gateway": "the VPC's way to the internet",
    "aws_kms_key_policy": "who may decrypt",
    "aws_lambda_function": "what runs, and with which role",
    "aws_lambda_function_url": "who may call the function",
    "aws_lambda_permission": "who may call the function",
    "aws_launch_template": "what servers run, and with which role",
    "aws_lb": "whether it faces the internet",
    "aws_lb_listener": "what it passes on",
    "aws_nat_gateway": "private subnets' way out",
    "aws_network_acl": "what a subnet lets through",
    "aws_network_acl_rule": "what a subnet lets through",
    "aws_route": "where traffic goes",
    "aws_route53_record": "where a name leads",
    "aws_route53_zone": "who says where names lead",
    "aws_route_table": "where traffic goes",
    "aws_route_table_association": "which routes a subnet has",
    "aws_s3_bucket_acl": "who may read and write it",
    "aws_s3_bucket_ownership_controls": "whether lists of access count",
    "aws_s3_bucket_policy": "who may read and write it",
    "aws_s3_bucket_public_access_block": "whether it may be public",
    "aws_secretsmanager_secret_policy": "who may read the secret",
    "aws_security_group": "what is let through",
    "aws_security_group_rule": "what is let through",
    "aws_sns_topic_policy": "who may publish and subscribe",
    "aws_sns_topic_subscription": "to whom messages go",
    "aws_sqs_queue_policy": "who may send and receive",
    "aws_ssm_association": "what runs on servers",
    "aws_ssm_document": "what runs on servers",
    "aws_subnet": "whether servers in it have public addresses",
    "aws_transit_gateway_vpc_attachment": "another network",
    "aws_vpc_endpoint": "a way to a service that passes no public address",
    "aws_vpc_endpoint_policy": "what may go through the endpoint",
    "aws_vpc_endpoint_service": "who may connect to what is inside",
    "aws_vpc_peering_connection": "another network",
    "aws_vpc_security_group_egress_rule": "what is let out",
    "aws_vpc_security_group_ingress_rule": "what is let in",
    "aws_vpn_connection": "another network",
    "aws_wafv2_web_acl": "which requests are refused",
    "aws_wafv2_web_acl_association": "which requests are refused",
}

# What goes unnoticed, or cannot be restored, without an object of the type; by the rule that says so.
GUARDS: dict[str, dict[str, str]] = {
    "watch-stopped": {
        "aws_cloudtrail": "who did what is no longer recorded",
        "aws_cloudwatch_composite_alarm": "its alarm no longer goes off",
        "aws_cloudwatch_event_rule": "its events set nothing off any more",
        "aws_cloudwatch_log_metric_filter": "its entries are no longer counted",
        "aws_cloudwatch_log_subscription_filter": "its entries are no longer passed on",
        "aws_cloudwatch_metric_alarm": "its alarm no longer goes off",
        "aws_config_configuration_recorder": "changes are no longer recorded",
        "aws_flow_log": "traffic is no longer recorded",
        "aws_guardduty_detector": "threats are no longer looked for",
        "aws_scheduler_schedule": "what it does is no longer done",
        "aws_sns_topic": "its messages reach nobody",
        "aws_sns_topic_subscription": "one receiver is no longer told",
        "aws_api_gateway_method_settings": "calls are no longer throttled or logged",
    },
    "backups-stopped": {
        "aws_backup_plan": "its backups are no longer made",
        "aws_backup_selection": "what it selects is no longer backed up",
        "aws_dlm_lifecycle_policy": "its images are no longer made",
        "aws_efs_backup_policy": "the file system is no longer backed up",
        "aws_s3_bucket_replication_configuration": "objects are no longer copied elsewhere",
    },
    "encryption-lifted": {
        "aws_s3_bucket_server_side_encryption_configuration": "the bucket's own choice of encryption is gone",
        "aws_ebs_encryption_by_default": "new volumes are no longer encrypted by themselves",
    },
    "versioning-stopped": {"aws_s3_bucket_versioning": "overwritten and deleted objects are no longer kept"},
    "retention-shortened": {"aws_s3_bucket_object_lock_configuration": "objects may be deleted before their time"},
}

# Types that matter to neither question, and why.
NEITHER: dict[str, str] = {
    "aws_api_gateway_account": "names the role that API Gateway writes its logs with",
    "aws_api_gateway_deployment": "a snapshot of the API, made anew whenever the API changes",
    "aws_api_gateway_gateway_response": "words an answer",
    "aws_api_gateway_integration": "passes calls on; who may call stands in the method and in the API's policy",
    "aws_api_gateway_integration_response": "maps an answer",
    "aws_api_gateway_method_response": "declares an answer",
    "aws_api_gateway_resource": "a path, without a method nothing",
    "aws_api_gateway_stage": "publishes a deployment; who may call stands in the API's policy",
    "aws_autoscaling_group": "replaces servers by its launch template, which is what opens a door",
    "aws_autoscaling_lifecycle_hook": "delays a change of servers",
    "aws_autoscaling_policy": "says how many servers there are",
    "aws_autoscaling_schedule": "says when there are how many servers",
    "aws_cloudwatch_dashboard": "shows what is measured elsewhere",
    "aws_eip_association": "puts an address to a server; the address itself is what allow-lists name",
    "aws_kms_alias": "another name of a key",
    "aws_launch_configuration": "describes servers, which an auto scaling group makes",
    "aws_lb_target_group": "says how servers are found healthy",
    "aws_lb_target_group_attachment": "says which servers traffic goes to",
    "aws_main_route_table_association": "the routes themselves stand in the route table",
    "aws_resourcegroups_group": "a list of resources",
    "aws_s3_bucket_lifecycle_configuration": "what it deletes is told as a shorter retention",
    "aws_s3_bucket_logging": "where logs of access go",
    "aws_scheduler_schedule_group": "a folder of schedules",
    "aws_secretsmanager_secret_rotation": "when a secret is changed",
    "aws_ssm_maintenance_window": "when work on servers is done",
    "aws_ssm_service_setting": "an account's choice for Systems Manager",
    "aws_volume_attachment": "puts a volume to a server; the volume itself holds the data",
    "aws_vpc": "holds subnets, each of which has its own change",
    "aws_vpc_dhcp_options": "names servers' resolvers",
    "aws_vpc_endpoint_route_table_association": "a route to an endpoint, whose policy is what opens a door",
    "aws_vpc_endpoint_subnet_association": "a place of an endpoint, whose security groups are what opens a door",
    "null_resource": "nothing outside Terraform's state",
    "random_id": "a random name",
    "random_pet": "a random name",
    "random_string": "a random name",
    "terraform_data": "nothing outside Terraform's state",
    "time_sleep": "waits a while",
}

_LOSS = {kind: (rule, what) for rule, kinds in LOST.items() for kind, what in kinds.items()}
_GUARD = {kind: (rule, what) for rule, kinds in GUARDS.items() for kind, what in kinds.items()}


def loss(kind: str) -> tuple[str, str] | None:
    """The rule that speaks when an object of this type is destroyed, and what is lost with it."""
    return _LOSS.get(kind)


def guard(kind: str) -> tuple[str, str] | None:
    """The rule that speaks when an object of this type is destroyed for good, and what is no longer done then."""
    return _GUARD.get(kind)


def is_classified(kind: str) -> bool:
    """Whether it is known what an object of this type is to a review."""
    return kind in _LOSS or kind in DOORS or kind in _GUARD or kind in NEITHER
