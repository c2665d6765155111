//! The tracing layer: collects the fields of an event and of the spans around it.

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::line::{self, Fields, Head};

/// Hands one line for each event to `write`.
pub(super) struct HclogLayer<W> {
    write: W,
}

impl<W: Fn(&[u8])> HclogLayer<W> {
    pub(super) fn new(write: W) -> Self {
        Self { write }
    }
}

impl<S, W> Layer<S> for HclogLayer<W>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    W: Fn(&[u8]) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut collector = Collector::default();
        attributes.record(&mut collector);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(collector);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(collector) = span.extensions_mut().get_mut::<Collector>()
        {
            values.record(collector);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // Inner spans come after outer ones and the event last, so the nearest value counts.
        let mut fields = Fields::new();
        let spans = context.event_scope(event).map(|scope| scope.from_root());
        for span in spans.into_iter().flatten() {
            if let Some(collector) = span.extensions().get::<Collector>() {
                fields.extend(collector.fields.iter().cloned());
            }
        }
        let mut collector = Collector::default();
        event.record(&mut collector);
        fields.append(&mut collector.fields);
        let head = Head {
            level: *event.metadata().level(),
            message: &collector.message,
            target: event.metadata().target(),
            timestamp: jiff::Timestamp::now(),
        };
        (self.write)(line::format(&head, &fields).as_bytes());
    }
}

#[derive(Debug, Default)]
struct Collector {
    message: String,
    fields: Fields,
}

impl Collector {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.fields.push((field.name(), value.into()));
    }

    fn add_text(&mut self, field: &Field, text: String) {
        if field.name() == "message" {
            self.message = text;
        } else {
            self.add(field, text);
        }
    }
}

impl Visit for Collector {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add_text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_text(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let chain = std::iter::successors(Some(value), |error| error.source());
        let text = chain
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ");
        self.add_text(field, text);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity and no NaN.
        if value.is_finite() {
            self.add(field, value);
        } else {
            self.add(field, value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// The lines that `work` logs at `level`, without their timestamps.
    fn lines(level: LevelFilter, work: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let layer = HclogLayer::new(move |line: &[u8]| {
            let mut object: Value = serde_json::from_slice(line).unwrap();
            object
                .as_object_mut()
                .unwrap()
                .remove("@timestamp")
                .unwrap();
            sink.lock().unwrap().push(object);
        });
        let filter = crate::logging::filter(level, vec!["quiet".to_owned()]);
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
        tracing::subscriber::with_default(subscriber, work);
        let written = written.lock().unwrap();
        written.clone()
    }

    #[test]
    fn events_become_objects() {
        let found = lines(LevelFilter::DEBUG, || {
            let name = "blue";
            tracing::info!(target: "a::b", name, count = 3_u64, below = -1_i64, "made {}", 1);
            let error = std::io::Error::other("disk full");
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::warn!(target: "a", error, ratio = f64::NAN, half = 0.5, yes = true);
            tracing::debug!(target: "a", { "@level" = 7, list = ?[1, 2] }, "x");
            tracing::trace!(target: "a", "below the level");
            tracing::error!(target: "quiet::inner", "only at trace");
        });
        let expected = vec![
            json!({"@level": "info", "@message": "made 1", "@module": "a.b", "name": "blue", "count": 3, "below": -1}),
            json!({"@level": "warn", "@message": "", "@module": "a", "error": "disk full", "ratio": "NaN", "half": 0.5, "yes": true}),
            json!({"@level": "debug", "@message": "x", "@module": "a", "field_level": 7, "list": "[1, 2]"}),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn trace_lets_dependencies_through() {
        let found = lines(LevelFilter::TRACE, || {
            tracing::error!(target: "quiet::inner", "shown");
            tracing::trace!(target: "h2::codec", "shown too");
        });
        let messages = found.iter().map(|line| &line["@message"]);
        assert_eq!(messages.collect::<Vec<_>>(), ["shown", "shown too"]);
    }

    #[test]
    fn spans_add_their_fields() {
        let found = lines(LevelFilter::INFO, || {
            let outer = tracing::info_span!("outer", resource = "cluster", step = 1);
            let _outer = outer.enter();
            let inner = tracing::info_span!("inner", step = 2, late = tracing::field::Empty);
            inner.record("late", "yes");
            let _inner = inner.enter();
            tracing::info!(target: "a", "in both");
            tracing::info!(target: "a", step = 3, "own");
        });
        let expected = vec![
            json!({"@level": "info", "@message": "in both", "@module": "a", "resource": "cluster", "step": 2, "late": "yes"}),
            json!({"@level": "info", "@message": "own", "@module": "a", "resource": "cluster", "step": 3, "late": "yes"}),
        ];
        assert_eq!(found, expected);
    }
}
