//! The lab: real Kubernetes control planes and a simulated AWS account on loopback.
