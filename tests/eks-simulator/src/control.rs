//! The lab's control API under `/_lab/`, JSON, for people and for clients in other languages.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::core::Core;
use crate::faults::Fault;
use crate::webhook;
use crate::wire::{Answer, Request, find, percent_decode, query_pairs};

/// Answers a control request or a webhook call.
pub(crate) async fn answer(core: &Arc<Core>, request: &Request) -> Answer {
    let segments: Vec<String> = request
        .path
        .trim_matches('/')
        .split('/')
        .skip(1)
        .map(percent_decode)
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&request.method, segments.as_slice()) {
        (&Method::GET, ["health"]) => Answer::json(200, &json!({ "status": "ok" })),
        (&Method::GET, ["requests"]) => {
            let pairs = query_pairs(&request.query);
            let after = find(&pairs, "after").unwrap_or("0").parse();
            match after {
                Ok(after) => Answer::json(200, &json!({ "requests": core.log.after(after) })),
                Err(_) => refuse(400, "after must be a sequence number"),
            }
        }
        (&Method::GET, ["counters"]) => Answer::json(200, &json!(core.log.counters())),
        (&Method::POST, ["reset"]) => {
            core.log.reset();
            Answer::json(200, &json!({}))
        }
        (&Method::GET, ["clock"]) => clock(core),
        (&Method::POST, ["clock"]) => match serde_json::from_slice::<Step>(&request.body) {
            Ok(step) => {
                if core
                    .config
                    .clock
                    .advance(Duration::from_secs(step.advance_seconds))
                {
                    clock(core)
                } else {
                    refuse(409, "this simulator's clock cannot be stepped")
                }
            }
            Err(error) => refuse(400, &format!("the step cannot be read: {error}")),
        },
        (&Method::GET, ["faults"]) => Answer::json(200, &json!({ "faults": core.faults.list() })),
        (&Method::POST, ["faults"]) => match serde_json::from_slice::<Fault>(&request.body) {
            Ok(fault) => Answer::json(201, &json!({ "id": core.faults.add(fault) })),
            Err(error) => refuse(400, &format!("the fault cannot be read: {error}")),
        },
        (&Method::DELETE, ["faults"]) => {
            core.faults.clear_all();
            Answer::json(200, &json!({}))
        }
        (&Method::DELETE, ["faults", id]) => {
            if id.parse().is_ok_and(|id| core.faults.clear(id)) {
                Answer::json(200, &json!({}))
            } else {
                refuse(404, "there is no fault of this id")
            }
        }
        (&Method::POST, ["clusters", cluster, hook @ ("authenticate" | "authorize")]) => {
            let Ok(review) = serde_json::from_slice::<Value>(&request.body) else {
                return refuse(400, "the review is not JSON");
            };
            if *hook == "authenticate" {
                Answer::json(200, &webhook::authenticate(core, cluster, &review))
            } else {
                Answer::json(200, &webhook::authorize(core, cluster, &review))
            }
        }
        _ => refuse(
            404,
            "the control API has GET /_lab/health, /_lab/requests, /_lab/counters, /_lab/faults, /_lab/clock; POST /_lab/reset, /_lab/faults, /_lab/clock; DELETE /_lab/faults[/id]",
        ),
    }
}

/// What `POST /_lab/clock` asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    advance_seconds: u64,
}

fn clock(core: &Core) -> Answer {
    Answer::json(200, &json!({ "time": core.now().to_string() }))
}

fn refuse(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({ "message": message }))
}
