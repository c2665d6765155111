# By the role's name. The import takes the role over: the next apply writes the ownership tags.
terraform import devopsgenie_workload_role.uploads production-uploads
