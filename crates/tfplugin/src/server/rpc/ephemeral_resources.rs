//! Ephemeral resources: checked, opened, renewed and closed.

use std::sync::Arc;

use super::{Server, Session, context};
use crate::context::Operation;
use crate::diagnostics::Diagnostics;
use crate::ephemeral::Opened;
use crate::lint;
use crate::plan::with_defaults;
use crate::private::Private;
use crate::server::convert::{decode, encode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard, guard_async};
use crate::server::proto::{
    close_ephemeral_resource as close_call, open_ephemeral_resource as open_call,
    renew_ephemeral_resource as renew_call, validate_ephemeral_resource_config as validate_call,
};
use crate::validate;

pub(super) async fn validate(
    server: &Server,
    _: &Session,
    request: validate_call::Request,
) -> validate_call::Response {
    let diagnostics = match check(server, &request) {
        Ok(diagnostics) | Err(diagnostics) => diagnostics,
    };
    validate_call::Response {
        diagnostics: encode_diagnostics(diagnostics),
    }
}

fn check(server: &Server, request: &validate_call::Request) -> Result<Diagnostics, Diagnostics> {
    let entry = server.ephemeral_resource(&request.type_name)?;
    let described = entry.described();
    let config = decode(request.config.as_ref(), &described.ty)?;
    guard(|| {
        validate::config(&described.schema, &config, |config| {
            entry.handler.validate(config)
        })
    })
    .map_err(|panicked| {
        panicked.into_diagnostics(
            &format!("checking an ephemeral resource {}", request.type_name),
            Aftermath::NothingChanged,
        )
    })
}

pub(super) async fn open(
    server: &Server,
    session: &Session,
    request: open_call::Request,
) -> open_call::Response {
    try_open(server, session, &request)
        .await
        .unwrap_or_else(|diagnostics| open_call::Response {
            diagnostics: encode_diagnostics(diagnostics),
            ..Default::default()
        })
}

async fn try_open(
    server: &Server,
    session: &Session,
    request: &open_call::Request,
) -> Result<open_call::Response, Diagnostics> {
    let entry = server.ephemeral_resource(&request.type_name)?;
    let described = entry.described();
    let config = decode(request.config.as_ref(), &described.ty)?;
    let open = context(session, described, Operation::Open, Some(&config))?;
    let close = context(session, described, Operation::Close, Some(&config))?;
    let config = with_defaults(&described.schema, &config, None, config.clone());
    let handler = Arc::clone(&entry.handler);
    let work = async move { guard_async(|| handler.open(open, config)).await };
    let opened = server
        .lifetime
        .run_to_end(work)
        .await
        .map_err(|panicked| {
            let during = format!("opening an ephemeral resource {}", request.type_name);
            panicked.into_diagnostics(&during, Aftermath::Ephemeral)
        })??;
    let Opened {
        result,
        private,
        renew_at,
        mut diagnostics,
    } = opened;
    if lint::is_enabled() || !result.is_wholly_known() {
        diagnostics.extend(lint::state(&described.schema, &result, "an opening"));
    }
    let encoded = encode(&result, &described.ty);
    match encoded {
        Ok(result) if !diagnostics.has_errors() => Ok(open_call::Response {
            diagnostics: encode_diagnostics(diagnostics),
            renew_at: renew_at.map(Into::into),
            result: Some(result),
            private: Some(private.encode()),
            deferred: None,
        }),
        encoded => {
            // Core closes nothing that was opened with an error.
            diagnostics.extend(encoded.err().into_iter().flatten());
            let handler = Arc::clone(&entry.handler);
            let work = async move { guard_async(|| handler.close(close, private)).await };
            diagnostics.extend(
                server
                    .lifetime
                    .run_to_end(work)
                    .await
                    .unwrap_or_else(|panicked| {
                        let during = format!("closing an ephemeral resource {}", request.type_name);
                        panicked.into_diagnostics(&during, Aftermath::Ephemeral)
                    }),
            );
            Err(diagnostics)
        }
    }
}

pub(super) async fn renew(
    server: &Server,
    session: &Session,
    request: renew_call::Request,
) -> renew_call::Response {
    try_renew(server, session, &request)
        .await
        .unwrap_or_else(|diagnostics| renew_call::Response {
            diagnostics: encode_diagnostics(diagnostics),
            renew_at: None,
            // What can still be closed must not be forgotten.
            private: request.private,
        })
}

async fn try_renew(
    server: &Server,
    session: &Session,
    request: &renew_call::Request,
) -> Result<renew_call::Response, Diagnostics> {
    let entry = server.ephemeral_resource(&request.type_name)?;
    let private = Private::decode(request.private.as_deref().unwrap_or_default())?;
    let context = context(session, entry.described(), Operation::Renew, None)?;
    let handler = Arc::clone(&entry.handler);
    let work = async move { guard_async(|| handler.renew(context, private)).await };
    let renewed = server
        .lifetime
        .run_to_end(work)
        .await
        .map_err(|panicked| {
            let during = format!("renewing an ephemeral resource {}", request.type_name);
            panicked.into_diagnostics(&during, Aftermath::Ephemeral)
        })??;
    Ok(renew_call::Response {
        diagnostics: encode_diagnostics(renewed.diagnostics),
        renew_at: renewed.renew_at.map(Into::into),
        private: Some(renewed.private.encode()),
    })
}

pub(super) async fn close(
    server: &Server,
    session: &Session,
    request: close_call::Request,
) -> close_call::Response {
    let diagnostics = match try_close(server, session, &request).await {
        Ok(diagnostics) | Err(diagnostics) => diagnostics,
    };
    close_call::Response {
        diagnostics: encode_diagnostics(diagnostics),
    }
}

async fn try_close(
    server: &Server,
    session: &Session,
    request: &close_call::Request,
) -> Result<Diagnostics, Diagnostics> {
    let entry = server.ephemeral_resource(&request.type_name)?;
    let private = Private::decode(request.private.as_deref().unwrap_or_default())?;
    let context = context(session, entry.described(), Operation::Close, None)?;
    let handler = Arc::clone(&entry.handler);
    let work = async move { guard_async(|| handler.close(context, private)).await };
    server.lifetime.run_to_end(work).await.map_err(|panicked| {
        let during = format!("closing an ephemeral resource {}", request.type_name);
        panicked.into_diagnostics(&during, Aftermath::Ephemeral)
    })
}
