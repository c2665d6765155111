resource "devopsgenie_addon_set" "base" {
  name = "base"

  kubernetes = {
    eks = {
      cluster_name = devopsgenie_cluster.main.name
    }
  }

  addons = {
    baseline = {
      baseline = {
        namespaces = ["team-a", "team-b"]
      }
    }

    settings = {
      namespace = "team-a"
      manifests = [file("${path.module}/settings.yaml")]
    }
  }
}
