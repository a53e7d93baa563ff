//! What every store must keep to, continued: the history of figures.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::time::Duration;

use crate::{
    ErrorKind,
    model::{Columns, Entity, RecentQuery, Series, TelemetryQuery},
};

use super::{MetricRow, Retention, Sample, Store, Upkeep, contract::at};

/// The time at which the tests' history begins: midnight.
const BEGIN: i64 = 1_699_920_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn entity(text: &str) -> Entity {
    text.parse().unwrap()
}

fn sample(name: &str, seconds: i64, value: f64) -> Sample {
    let entity = entity(name);
    let row = MetricRow::new(entity.kind());
    let values = match entity {
        Entity::Host(_) => row.with("cpu_percent", value).with("memory_total", 8e9),
        Entity::Guest(_) => row.with("cpu_percent", value).with("disk_read", value * 1e6),
        Entity::Storage(_) => row.with("used", value * 1e9).with("total", 1e12),
        Entity::Fleet => row.with("cpu_percent", value).with("hosts_total", 7.0),
    };
    Sample { entity, at: at(BEGIN + seconds), values }
}

/// Samples every `every` seconds, counting up from 0, from the beginning up to `until`.
async fn counting(store: &dyn Store, name: &str, every: i64, until: i64) {
    let samples: Vec<Sample> = (0..until / every).map(|tick| sample(name, tick * every, (tick % 360) as f64)).collect();
    for samples in samples.chunks(2_000) {
        store.append_samples(samples).await.unwrap();
    }
}

async fn ask(store: &dyn Store, name: &str, metric: &str, (from, to): (i64, i64), step: i64) -> Series {
    let query = TelemetryQuery {
        entity: entity(name),
        metrics: vec![metric.into()],
        from: at(BEGIN + from),
        to: at(BEGIN + to),
        step: Some(Duration::from_secs(step as u64)),
    };
    let series = store.query(&query).await.unwrap();
    let Columns { min, mean, max } = &series.metrics[metric];
    let length = series.times.len();
    assert_eq!((min.len(), mean.len(), max.len()), (length, length, length));
    for ((min, mean), max) in min.iter().zip(mean).zip(max) {
        assert!(min <= mean && mean <= max, "{min:?} {mean:?} {max:?}");
    }
    series
}

async fn means(store: &dyn Store, name: &str, metric: &str, span: (i64, i64), step: i64) -> Vec<Option<f64>> {
    ask(store, name, metric, span, step).await.metrics.remove(metric).unwrap().mean
}

/// Upkeep until nothing is left to do; what was done altogether.
async fn keep_up(store: &dyn Store, seconds: i64) -> Upkeep {
    let mut all = Upkeep::default();
    for _ in 0..10_000 {
        let done = store.roll_up_and_prune(at(BEGIN + seconds), &Retention::default()).await.unwrap();
        all.packed += done.packed;
        all.averaged += done.averaged;
        all.deleted += done.deleted;
        if !done.more {
            return all;
        }
    }
    panic!("upkeep finds no end");
}

pub(crate) async fn samples(store: &dyn Store) {
    let cpu = "cpu_percent";
    assert_eq!(means(store, "host:a", cpu, (0, 600), 300).await, [None, None], "nothing is known of that host");
    counting(store, "host:a", 10, HOUR).await;
    counting(store, "guest:c:100", 10, HOUR).await;
    counting(store, "storage:c:local", 60, HOUR).await;
    store.append_samples(&[]).await.unwrap();
    store.append_samples(&[sample("host:a", 0, 1000.0), sample("host:a", 0, 0.0)]).await.unwrap();
    let series = ask(store, "host:a", cpu, (0, HOUR), 600).await;
    assert_eq!(series.step_seconds, 600);
    assert_eq!(series.times.first().unwrap().as_second(), BEGIN);
    let columns = &series.metrics[cpu];
    assert_eq!(columns.mean, [29.5, 89.5, 149.5, 209.5, 269.5, 329.5].map(Some));
    assert_eq!(columns.min, [0.0, 60.0, 120.0, 180.0, 240.0, 300.0].map(Some));
    assert_eq!(columns.max, [59.0, 119.0, 179.0, 239.0, 299.0, 359.0].map(Some));
    assert_eq!(means(store, "guest:c:100", "disk_read", (20, 40), 10).await, [2e6, 3e6].map(Some));
    assert_eq!(means(store, "storage:c:local", "used", (60, 180), 60).await, [1e9, 2e9].map(Some));
    counting(store, "fleet", 10, 60).await;
    assert_eq!(means(store, "fleet", cpu, (0, 20), 10).await, [0.0, 1.0].map(Some));
    assert_eq!(means(store, "fleet", "hosts_total", (0, 10), 10).await, [Some(7.0)]);
    assert_eq!(means(store, "fleet", "guests_total", (0, 10), 10).await, [None]);
    assert_eq!(
        means(store, "host:a", cpu, (HOUR - 20, HOUR + 20), 10).await,
        [Some(358.0), Some(359.0), None, None],
        "a gap stays a gap"
    );
    let all = TelemetryQuery {
        entity: entity("guest:c:100"),
        metrics: vec![],
        from: at(BEGIN),
        to: at(BEGIN + 60),
        step: None,
    };
    let all = store.query(&all).await.unwrap();
    assert_eq!(all.metrics.len(), 10);
    assert!(all.metrics["memory_used"].mean.iter().all(Option::is_none), "what was never seen is absent");
}

pub(crate) async fn bad_questions(store: &dyn Store) {
    let good =
        TelemetryQuery { entity: entity("host:a"), metrics: vec!["load1".into()], from: at(0), to: at(60), step: None };
    store.query(&good).await.unwrap();
    for bad in [
        TelemetryQuery { metrics: vec!["cpu".into()], ..good.clone() },
        TelemetryQuery { entity: entity("storage:x"), ..good.clone() },
        TelemetryQuery { to: at(0), ..good.clone() },
        TelemetryQuery { step: Some(Duration::ZERO), ..good.clone() },
        TelemetryQuery { step: Some(Duration::from_secs(1)), to: at(20_000), ..good.clone() },
    ] {
        let error = store.query(&bad).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad:?}");
        assert!(error.next_step().is_some(), "{bad:?}");
    }
    let crossed = Sample { entity: entity("guest:c:1"), ..sample("host:a", 0, 1.0) };
    let refused = store.append_samples(&[sample("host:a", 0, 1.0), crossed]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(store.latest(&[entity("host:a")]).await.unwrap().is_empty(), "all of it or nothing");
}

pub(crate) async fn latest(store: &dyn Store) {
    let names: Vec<String> = (0..40).map(|number| format!("guest:c:{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        store.append_samples(&[sample(name, 0, 1.0), sample(name, 10 + number as i64, 7.0)]).await.unwrap();
    }
    let all: Vec<Entity> = names.iter().map(|name| entity(name)).chain([entity("host:nobody")]).collect();
    let seen = |seconds: i64, value: f64| crate::model::Reading { at: at(BEGIN + seconds), value };
    let found = store.latest(&all).await.unwrap();
    assert_eq!(found.len(), 40);
    assert_eq!(found[&all[3]]["cpu_percent"], seen(13, 7.0));
    assert!(!found[&all[3]].contains_key("memory_used"));
    // One is seen no more, the others are; a figure that is seen seldom keeps its time.
    let only_cpu = |name: &str, seconds| Sample {
        entity: entity(name),
        at: at(BEGIN + seconds),
        values: MetricRow::new(crate::model::EntityKind::Guest).with("cpu_percent", 9.0),
    };
    let rest: Vec<Sample> = names[1..].iter().map(|name| only_cpu(name, 30 * HOUR)).collect();
    store.append_samples(&rest).await.unwrap();
    keep_up(store, 20 * HOUR).await;
    let found = store.latest(&all).await.unwrap();
    assert_eq!(found[&all[0]]["cpu_percent"], seen(10, 7.0), "packed, and still the last");
    assert_eq!(found[&all[1]]["cpu_percent"], seen(30 * HOUR, 9.0));
    let one = store.latest(&all[1..2]).await.unwrap();
    assert_eq!(one[&all[1]]["cpu_percent"], seen(30 * HOUR, 9.0));
    assert_eq!(one[&all[1]]["disk_read"], seen(11, 7e6));
    keep_up(store, 40 * HOUR).await;
    assert_eq!(store.latest(&all[..1]).await.unwrap()[&all[0]]["cpu_percent"].value, 4.0, "of a minute: 1 and 7");
}

pub(crate) async fn charts(store: &dyn Store) {
    counting(store, "host:a", 10, HOUR).await;
    let chart = async |from: i64, to: i64, points| {
        let metrics = ["cpu_percent".to_owned(), "load1".to_owned()];
        let history = store.history(&"a".into(), &metrics, at(BEGIN + from), at(BEGIN + to), points).await.unwrap();
        assert!(history["load1"].iter().all(|(_, value)| value.is_none()), "what was never seen is absent");
        assert!(history["cpu_percent"].len() <= points);
        history["cpu_percent"].iter().map(|(at, value)| (at.as_second() - BEGIN, *value)).collect::<Vec<_>>()
    };
    assert_eq!(chart(0, HOUR, 2).await, [(0, Some(89.5)), (1800, Some(269.5))]);
    assert_eq!(chart(0, 30, 1000).await, [(0, Some(0.0)), (10, Some(1.0)), (20, Some(2.0))], "no finer than it is");
    assert!(chart(7, HOUR - 3, 30).await.len() > 20);
    let backwards = store.history(&"a".into(), &[], at(1), at(1), 1).await.unwrap_err();
    assert_eq!(backwards.kind(), ErrorKind::Invalid);
}

/// Lines of many are what a question for each says, before and after packing and across what is packed only in part.
pub(crate) async fn recent(store: &dyn Store) {
    counting(store, "host:a", 10, HOUR + 1800).await;
    counting(store, "guest:c:1", 10, HOUR + 1800).await;
    counting(store, "host:slow", 60, HOUR).await;
    counting(store, "fleet", 10, HOUR).await;
    let names = ["host:a", "guest:c:1", "host:slow", "host:never", "fleet"];
    let ask = async |(from, to): (i64, i64), points| {
        let entities = names.map(entity).into();
        let (metric, from, to) = ("cpu_percent".to_owned(), at(BEGIN + from), at(BEGIN + to));
        store.recent(&RecentQuery { entities, metric, from, to, points }).await.unwrap()
    };
    for seconds in [0, HOUR + 90, DAY, 3 * DAY] {
        keep_up(store, seconds).await;
        for (span, points) in [((0, HOUR), 30), ((900, HOUR + 1800), 30), ((0, 2 * HOUR), 120), ((0, HOUR), 60)] {
            let recent = ask(span, points).await;
            let step = recent.step_seconds as i64;
            assert_eq!((recent.from.as_second() - BEGIN, recent.to.as_second() - BEGIN), span, "{span:?} by {step}");
            for name in names {
                let line = means(store, name, "cpu_percent", span, step).await;
                assert_eq!(recent.series[&entity(name)], line, "{name} {span:?} by {step} after {seconds} s");
            }
            assert!(recent.series[&entity("host:a")].len() <= points);
            assert!(recent.series[&entity("host:never")].iter().all(Option::is_none));
        }
    }
    let fine = ask((600, 660), 6).await;
    assert_eq!(fine.step_seconds, 60, "of minutes nothing finer is left");
    let backwards =
        RecentQuery { entities: [].into(), metric: "cpu_percent".into(), from: at(1), to: at(1), points: 2 };
    assert_eq!(store.recent(&backwards).await.unwrap_err().kind(), ErrorKind::Invalid);
    let crossed = RecentQuery { entities: names.map(entity).into(), metric: "load1".into(), to: at(90), ..backwards };
    assert!(store.recent(&crossed).await.unwrap_err().to_string().contains("load1"));
}

/// A line finer than the samples of one of them holds each sample until the next, and stays a gap where none came.
pub(crate) async fn recent_by_the_second(store: &dyn Store) {
    let samples = [0, 10, 20, 30, 90].map(|seconds| sample("host:a", seconds, seconds as f64));
    store.append_samples(&samples).await.unwrap();
    counting(store, "host:slow", 60, 180).await;
    let query = RecentQuery {
        entities: [entity("host:a"), entity("host:slow")].into(),
        metric: "cpu_percent".into(),
        from: at(BEGIN),
        to: at(BEGIN + 120),
        points: 24,
    };
    let recent = store.recent(&query).await.unwrap();
    assert_eq!(recent.step_seconds, 5);
    let first = |name: &str| recent.series[&entity(name)].clone();
    assert_eq!(
        first("host:a")[..8],
        [0.0, 0.0, 10.0, 10.0, 20.0, 20.0, 30.0, f64::NAN].map(|v| (!v.is_nan()).then_some(v))
    );
    assert!(first("host:a")[7..18].iter().all(Option::is_none), "a gap stays a gap");
    assert!(first("host:slow")[..12].iter().all(|value| *value == Some(0.0)), "it is seen once a minute");
}

/// What is asked for stays the same through packing, thinning and deleting, as long as some tier can show it.
pub(crate) async fn tiers(store: &dyn Store) {
    counting(store, "host:a", 60, 2 * DAY).await;
    counting(store, "host:b", 60, HOUR).await;
    let ask = async |span, step| means(store, "host:a", "cpu_percent", span, step).await;
    let (fine, medium, coarse) = ((0, HOUR), (0, DAY), (0, 2 * DAY));
    let before = (ask(fine, 60).await, ask(medium, 900).await, ask(coarse, 6 * HOUR).await);
    let same = async |seconds| {
        let done = keep_up(store, seconds).await;
        assert_eq!(ask(medium, 900).await, before.1, "after {seconds} s");
        assert_eq!(ask(coarse, 6 * HOUR).await, before.2, "after {seconds} s");
        done
    };
    assert_eq!(same(HOUR + 59).await.packed, 0, "the last samples of the hour may still come");
    let done = same(HOUR + 60).await;
    assert_eq!((done.packed, done.averaged, done.deleted), (2 * 60, 2 * 60, 0));
    let done = same(DAY + HOUR).await;
    assert_eq!(done.packed, 23 * 60, "of 24 hours that are over one was packed before");
    assert_eq!(done.averaged, 23 * 60 + 96 + 4);
    assert_eq!(done.deleted, 2, "a chunk is kept until all of it is too old");
    let done = same(2 * DAY + HOUR).await;
    assert_eq!((done.packed, done.deleted), (24 * 60, 24));
    assert_eq!(ask(fine, 60).await, before.0, "minutes are still there");
    let done = same(9 * DAY).await;
    assert_eq!(done.deleted, 23 + 48 + 1, "the rest of the samples, and all minutes");
    same(60 * DAY).await;
    let done = keep_up(store, 95 * DAY).await;
    assert_eq!(done.deleted, 2 + 1, "quarters");
    let series = self::ask(store, "host:a", "cpu_percent", coarse, 900).await;
    assert_eq!(series.step_seconds, 6 * HOUR as u64, "no finer than what is left");
    assert_eq!(series.metrics["cpu_percent"].mean, before.2);
    let done = keep_up(store, 800 * DAY).await;
    assert_eq!(done.deleted, 2);
    assert!(ask(coarse, 6 * HOUR).await.iter().all(Option::is_none));
    assert_eq!(keep_up(store, 801 * DAY).await, Upkeep::default());
}

/// A question across several tiers gets one answer, as coarse as its coarsest part and without a seam.
pub(crate) async fn stitched(store: &dyn Store) {
    let end = 9 * DAY + 90 * 60;
    counting(store, "host:a", 60, end).await;
    keep_up(store, end).await;
    let hour = ask(store, "host:a", "cpu_percent", (0, end), HOUR).await;
    assert_eq!(hour.step_seconds, HOUR as u64);
    let columns = &hour.metrics["cpu_percent"];
    assert_eq!(columns.mean.len(), 9 * 24 + 2);
    for (index, mean) in columns.mean.iter().enumerate().take(9 * 24 + 1) {
        let first = (index * 60 % 360) as f64;
        assert_eq!(*mean, Some(first + 29.5), "hour {index}");
    }
    assert_eq!(columns.mean[9 * 24 + 1], Some(60.0 + 14.5), "half an hour, not packed yet");
    let mixed = ask(store, "host:a", "cpu_percent", (DAY, end), 120).await;
    assert_eq!(mixed.step_seconds, 900, "quarters are the finest that is left of the first days");
    assert!(mixed.metrics["cpu_percent"].mean.iter().all(Option::is_some));
    let lately = ask(store, "host:a", "cpu_percent", (end - 5 * DAY, end), 60).await;
    assert_eq!(lately.step_seconds, 60);
    assert!(lately.metrics["cpu_percent"].mean.iter().all(Option::is_some));
}

/// Samples that come when their hour, or their day, is packed already find their place.
pub(crate) async fn late_samples(store: &dyn Store) {
    counting(store, "host:a", 60, HOUR).await;
    keep_up(store, 26 * HOUR).await;
    let cpu = "cpu_percent";
    store.append_samples(&[sample("host:a", 30, 1000.0), sample("host:a", 2 * HOUR, 5.0)]).await.unwrap();
    keep_up(store, 26 * HOUR).await;
    assert_eq!(means(store, "host:a", cpu, (0, 60), 60).await, [Some(1000.0)], "all that is left of that minute");
    assert_eq!(means(store, "host:a", cpu, (60, 120), 60).await, [Some(1.0)]);
    assert_eq!(means(store, "host:a", cpu, (2 * HOUR, 3 * HOUR), 3600).await, [Some(5.0)]);
    let series = ask(store, "host:a", cpu, (0, 6 * HOUR), 6 * HOUR).await;
    assert_eq!(series.metrics[cpu].max, [Some(1000.0)], "through all tiers");
    assert_eq!(means(store, "host:a", cpu, (900, 1800), 900).await, [Some(22.0)]);
}

/// A clock that was far ahead, or at the beginning of time, stops nothing and is forgotten in due time.
pub(crate) async fn clock_set_back(store: &dyn Store) {
    let cpu = "cpu_percent";
    counting(store, "host:a", 60, HOUR).await;
    store.append_samples(&[sample("host:a", 400 * DAY, 77.0), sample("host:b", -BEGIN, 1.0)]).await.unwrap();
    keep_up(store, 400 * DAY).await;
    store.append_samples(&[sample("host:a", HOUR, 5.0), sample("host:a", 3 * DAY, 6.0)]).await.unwrap();
    let done = keep_up(store, 5 * DAY).await;
    assert_eq!(done.packed, 2);
    assert_eq!(means(store, "host:a", cpu, (HOUR, 2 * HOUR), 3600).await, [Some(5.0)]);
    assert_eq!(means(store, "host:a", cpu, (3 * DAY, 4 * DAY), DAY).await, [Some(6.0)]);
    assert_eq!(keep_up(store, 5 * DAY).await, Upkeep::default());
    let done = keep_up(store, 401 * DAY).await;
    assert_eq!(done.packed, 1, "its time has come");
    assert_eq!(means(store, "host:a", cpu, (400 * DAY, 400 * DAY + 60), 60).await, [Some(77.0)]);
}
