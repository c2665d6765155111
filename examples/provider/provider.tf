terraform {
  required_providers {
    devopsgenie = {
      source  = "devopsgenie/devopsgenie"
      version = "~> 0.1"
    }
  }
}

# Region and credentials come from the standard AWS environment and files when they are not set here.
provider "devopsgenie" {
  region              = "eu-west-1"
  allowed_account_ids = ["123456789012"]

  assume_role = {
    role_arn = "arn:aws:iam::123456789012:role/platform-admin"
  }

  default_tags = {
    tags = {
      owner = "platform-team"
    }
  }
}
