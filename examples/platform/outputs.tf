output "cluster_endpoint" {
  description = "URL of the Kubernetes API."
  value       = devopsgenie_cluster.platform.endpoint
}

output "oidc_issuer_url" {
  description = "Issuer of the cluster's service account tokens, for IRSA."
  value       = devopsgenie_cluster.platform.oidc_issuer_url
}

output "objects" {
  description = "The objects that the add-on set keeps in the cluster."
  value       = keys(devopsgenie_addon_set.platform.objects)
}
