//! The cty value system of Terraform and OpenTofu: types, values, paths, and the msgpack and JSON codecs.
