//! What a run tells `tracing`.

use std::sync::{Arc, Mutex};

use tracing::span::Attributes;
use tracing::{Id, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::{SPLIT, Stage, people};
use crate::harness::listen;

/// Writes down each span with those around it.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Spans {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if span.metadata().target().starts_with("whimbrel") {
            let names: Vec<&str> = span.scope().from_root().map(|span| span.name()).collect();
            self.0.lock().unwrap().push(names.join(">"));
        }
    }
}

#[test]
fn a_step_and_its_chunks_are_spans() {
    let stage = Stage::new(&people(2500), "split", &format!("{SPLIT}chunk = 1000"));
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    listen(subscriber, || stage.counts());
    assert_eq!(*spans.0.lock().unwrap(), ["step", "step>chunk", "step>chunk", "step>chunk"]);
}
