terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      configuration_aliases = [aws.main, aws.replica]
    }
  }
}

variable "name" {
  type = string
}

resource "aws_sns_topic" "main" {
  provider = aws.main
  name     = var.name
}

resource "aws_sns_topic" "replica" {
  provider = aws.replica
  name     = "${var.name}-replica"
}

output "arns" {
  value = [aws_sns_topic.main.arn, aws_sns_topic.replica.arn]
}
