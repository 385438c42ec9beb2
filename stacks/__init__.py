"""One class per Terraform state: settings in, constructs composed, outputs out."""
