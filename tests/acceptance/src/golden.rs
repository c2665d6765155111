//! Plan texts made comparable: what differs from run to run is replaced by a name.

/// Replaces ARNs' random parts, ports, times and identifiers in a text that Core printed.
///
/// `replacements` are exact texts (an endpoint, a subnet id) and the names that stand for them.
#[must_use]
pub fn normalise(text: &str, replacements: &[(String, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in replacements {
        if !from.is_empty() {
            text = text.replace(from.as_str(), to);
        }
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
