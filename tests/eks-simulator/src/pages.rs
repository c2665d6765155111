//! maxResults and nextToken of list operations.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::eks::Call;
use crate::wire::{ApiError, Code};

/// Keeps one page of `items`, which are sorted by `key`; returns the token of the next page. The
/// token names the last item of its page, so what comes and goes between two calls neither hides
/// nor repeats another item. `refusal` is the operation's error for a bad request. Source:
/// botocore model (maxResults 1 to 100, default 100).
pub(crate) fn cut<T>(
    items: &mut Vec<T>,
    call: &Call<'_>,
    refusal: Code,
    key: impl Fn(&T) -> String,
) -> Result<Option<String>, ApiError> {
    let page = (call.query("maxResults"), call.query("nextToken"));
    cut_by(items, page, refusal, key)
}

/// The same with maxResults and nextToken from elsewhere.
pub(crate) fn cut_by<T>(
    items: &mut Vec<T>,
    (max_results, next_token): (Option<&str>, Option<&str>),
    refusal: Code,
    key: impl Fn(&T) -> String,
) -> Result<Option<String>, ApiError> {
    let limit = match max_results {
        None => 100,
        Some(text) => match text.parse::<usize>() {
            Ok(number @ 1..=100) => number,
            _ => {
                return Err(ApiError::new(
                    refusal,
                    format!("maxResults needs to be between 1 and 100, got {text}."),
                ));
            }
        },
    };
    if let Some(token) = next_token {
        let last = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix("after:").map(str::to_owned))
            .ok_or_else(|| ApiError::new(refusal, "Invalid nextToken"))?;
        items.retain(|item| key(item) > last);
    }
    if items.len() <= limit {
        return Ok(None);
    }
    items.truncate(limit);
    Ok(items
        .last()
        .map(|item| URL_SAFE_NO_PAD.encode(format!("after:{}", key(item)))))
}
