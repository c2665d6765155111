//! AWS clients from provider settings and the standard AWS environment.

mod client;
mod error;
mod settings;
mod token;

pub use client::{Aws, CallerIdentity};
pub use error::{ApiError, AwsError, ErrorClass, classify};
pub use settings::{AssumeRole, Endpoints, Settings, dns_suffix, partition};
pub use token::{EksToken, EksTokenSource, TOKEN_PREFIX, TOKEN_VALIDITY};
