# An EKS cluster and what runs in it, in one apply.

terraform {
  required_version = ">= 1.11"

  required_providers {
    devopsgenie = {
      source  = "devopsgenie/devopsgenie"
      version = "~> 0.1"
    }
  }
}

provider "devopsgenie" {
  default_tags = {
    tags = {
      environment = var.environment
      managed-by  = "terraform"
    }
  }
}

resource "devopsgenie_cluster" "platform" {
  name               = var.cluster_name
  kubernetes_version = var.kubernetes_version

  vpc_config = {
    subnet_ids = var.subnet_ids
  }

  node_groups = {
    general = {
      instance_types = ["m7i.large"]
      scaling_config = {
        min_size     = 2
        max_size     = 6
        desired_size = 3
      }
      labels = {
        "workload-class" = "general"
      }
    }
  }
}

resource "devopsgenie_addon_set" "platform" {
  name = "platform"

  kubernetes = {
    eks = {
      cluster_name = devopsgenie_cluster.platform.name
    }
  }

  addons = {
    baseline = {
      baseline = {
        namespaces = ["team-a", "team-b"]
      }
    }

    web = {
      namespace = "team-a"
      manifests = [templatefile("${path.module}/web.yaml", { replicas = var.web_replicas })]
    }
  }
}
