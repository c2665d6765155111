# A set in an EKS cluster of the provider's region: eks/CLUSTER_NAME/SET_NAME.
# Its inventory must be in the namespace devopsgenie-system.
terraform import devopsgenie_addon_set.base eks/production/base

# A set in the cluster of a kubeconfig context: kubeconfig/CONTEXT/SET_NAME.
terraform import devopsgenie_addon_set.base kubeconfig/production/base
