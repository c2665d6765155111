//! The server side of HashiCorp go-plugin over gRPC: handshake, mutual TLS, controller, stdio, broker, hclog logging.
