//! Acceptance tests with the real terraform and tofu binaries.
