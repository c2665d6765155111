data "devopsgenie_cluster" "shared" {
  name = "shared"
}

output "kubernetes_api" {
  value = data.devopsgenie_cluster.shared.endpoint
}

output "node_security_group_id" {
  value = data.devopsgenie_cluster.shared.vpc_config.cluster_security_group_id
}
