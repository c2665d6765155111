resource "devopsgenie_cluster" "main" {
  name                = "production"
  kubernetes_version  = "1.36"
  deletion_protection = true

  vpc_config = {
    subnet_ids              = ["subnet-0a1b2c3d4e5f60718", "subnet-1a1b2c3d4e5f60718", "subnet-2a1b2c3d4e5f60718"]
    endpoint_private_access = true
    public_access_cidrs     = ["198.51.100.0/24"]
  }

  node_groups = {
    general = {
      instance_types = ["m7i.large", "m7a.large"]
      scaling_config = {
        min_size = 3
        max_size = 12
      }
    }

    batch = {
      capacity_type  = "SPOT"
      instance_types = ["c7i.xlarge", "c7a.xlarge"]
      scaling_config = {
        min_size = 0
        max_size = 50
      }
      taints = [{
        key    = "workload-class"
        value  = "batch"
        effect = "NO_SCHEDULE"
      }]
    }
  }

  access_entries = {
    developers = {
      principal_arn = "arn:aws:iam::123456789012:role/developers"
      policy_associations = {
        view = {
          policy_arn   = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
          access_scope = { type = "cluster" }
        }
      }
    }
  }

  tags = {
    environment = "production"
  }
}
