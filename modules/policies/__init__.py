"""Every IAM document: who may do what, and from where.

Functions compute statements from plain values; `statement.document` turns them into Terraform.
"""
