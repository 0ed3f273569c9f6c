//! `/metrics`: what hub and media count, in the text format of OpenMetrics.

use diemcau_hub::Metrics;
use diemcau_media::Counters;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Everything that is counted.
#[derive(Debug)]
pub struct Scrape {
    registry: Registry,
}

impl Scrape {
    /// A registry with the hub's counters, and those counters.
    #[must_use]
    pub fn new() -> (Self, Metrics) {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        (Self { registry }, metrics)
    }

    /// Where further counters are registered.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Adds the media plane's counters.
    pub fn add_media(&mut self, counters: Arc<Counters>) {
        self.registry
            .register_collector(Box::new(MediaCounters(counters)));
    }

    /// The text.
    ///
    /// # Errors
    /// Never in practice: a `String` takes everything.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[derive(Debug)]
struct MediaCounters(Arc<Counters>);

impl Collector for MediaCounters {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Counters {
            datagrams_in,
            forwarded,
            gated,
            send_drops,
            malformed,
            flooded,
            key_frames_wanted,
            key_frames_asked,
            given_up,
            peers,
            links_udp,
            links_tcp,
        } = &*self.0;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut count = |name: &str, help: &str, counter: &AtomicU64| {
            let value = ConstCounter::new(read(counter));
            value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)
        };
        count(
            "diemcau_media_datagrams_in",
            "Datagrams that arrived",
            datagrams_in,
        )?;
        count(
            "diemcau_media_forwarded",
            "Media packets put into a slot",
            forwarded,
        )?;
        count(
            "diemcau_media_gated",
            "Media packets that went to nobody",
            gated,
        )?;
        count(
            "diemcau_media_send_drops",
            "Datagrams the kernel had no room for",
            send_drops,
        )?;
        count(
            "diemcau_media_malformed",
            "Datagrams that make no sense",
            malformed,
        )?;
        count(
            "diemcau_media_flooded",
            "Datagrams of clients that sent too many, thrown away unread",
            flooded,
        )?;
        count(
            "diemcau_media_key_frames_wanted",
            "Key frames receivers wished for",
            key_frames_wanted,
        )?;
        count(
            "diemcau_media_key_frames_asked",
            "Key frames asked of senders",
            key_frames_asked,
        )?;
        count(
            "diemcau_media_given_up",
            "Times packets of a picture did not come however often they were asked for",
            given_up,
        )?;
        let now = |gauge| ConstGauge::new(i64::try_from(read(gauge)).unwrap_or(i64::MAX));
        let peers = now(peers);
        peers.encode(encoder.encode_descriptor(
            "diemcau_media_peers",
            "Admitted peers",
            None,
            peers.metric_type(),
        )?)?;
        let mut links = encoder.encode_descriptor(
            "diemcau_media_links",
            "Connections that media goes over, two of a room: tcp where a network blocks UDP",
            None,
            MetricType::Gauge,
        )?;
        for (over, links_over) in [("udp", links_udp), ("tcp", links_tcp)] {
            now(links_over).encode(links.encode_family(&[("over", over)])?)?;
        }
        Ok(())
    }
}
