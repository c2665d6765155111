resource "devopsgenie_workload_role" "uploads" {
  name            = "production-uploads"
  cluster_name    = devopsgenie_cluster.main.name
  namespace       = "media"
  service_account = "uploads"

  policy_arns = ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"]

  inline_policies = {
    objects = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "arn:aws:s3:::example-uploads/*"
      }]
    })
  }

  tags = {
    team = "media"
  }
}
