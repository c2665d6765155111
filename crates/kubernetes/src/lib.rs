//! Kubernetes access shared by the engines: connection, discovery, server-side apply, readiness.
