# By the cluster's name. The import takes the cluster over: the next apply writes the ownership tags.
terraform import devopsgenie_cluster.main production
