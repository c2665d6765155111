variable "cluster_name" {
  description = "Name of the EKS cluster."
  type        = string
  default     = "platform"
}

variable "kubernetes_version" {
  description = "Kubernetes minor version of the control plane."
  type        = string
  default     = "1.35"
}

variable "environment" {
  description = "Value of the tag environment on all that AWS lets us tag."
  type        = string
  default     = "demo"
}

variable "subnet_ids" {
  description = "Subnets in at least two availability zones for the control plane and the nodes."
  type        = set(string)
}

variable "web_replicas" {
  description = "Replicas of the Deployment web."
  type        = number
  default     = 2
}
