//! The AWS side: observed and desired clusters, the pure plan between them, and its executor.
