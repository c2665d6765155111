//! A simulator of the Amazon EKS control plane on the real wire protocol.
