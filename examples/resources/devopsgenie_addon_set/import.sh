terraform import devopsgenie_addon_set.base eks/production/base
