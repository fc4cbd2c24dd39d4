//! How much is let in, made live: zones are found again, or new.

use std::sync::Arc;

use http::StatusCode;

use super::logs::level;
use super::templates::compile;
use crate::config::model::{self, Http, LimitCounts};
use crate::config::{Config, Problem};
use crate::http::{ConnectionLimit, Limited, Limits, RequestLimit, Zone};
use crate::limit::{ConnectionZone, OtherKey, Rate, RequestZone, Zones};
use crate::route::Names;

/// The zones of one configuration.
#[derive(Debug, Default)]
pub(super) struct LimitZones {
    requests: Vec<(Zone<RequestZone>, Rate)>,
    connections: Vec<Zone<ConnectionZone>>,
}

impl LimitZones {
    pub(super) fn build(
        config: &Config,
        http: &Http,
        names: &Names,
        kept: &Zones,
    ) -> Result<Self, Problem> {
        let mut zones = Self::default();
        for zone in &http.limit_zones {
            let (name, size, written) = (&zone.name.value, zone.size, &zone.key.value);
            let key = Arc::new(compile(config, &zone.key, names)?);
            let other = |directive: &str, OtherKey { before }| {
                Problem::beyond_syntax(format!(
                    "{directive} \"{name}\" uses the \"{written}\" key while previously it used \
                     the \"{before}\" key"
                ))
            };
            let (name, written): (Arc<str>, Arc<str>) =
                (name.as_str().into(), written.as_str().into());
            match zone.counts {
                LimitCounts::Requests(rate) => {
                    let counts = kept.requests(&name, size, &written);
                    let counts = counts.map_err(|key| other("limit_req", key))?;
                    zones.requests.push((Zone { counts, name, key, written }, Rate(rate)));
                }
                LimitCounts::Connections => {
                    let counts = kept.connections(&name, size, &written);
                    let counts = counts.map_err(|key| other("limit_conn_zone", key))?;
                    zones.connections.push(Zone { counts, name, key, written });
                }
            }
        }
        Ok(zones)
    }

    /// The limits of a place; none where it has no such limits.
    pub(super) fn limits(&self, limits: &model::Limits) -> Option<Box<Limits>> {
        if limits.requests.limits.is_empty() && limits.connections.limits.is_empty() {
            return None;
        }
        let request = |limit: &model::RequestLimit| {
            let name = limit.zone.value.as_str();
            let (zone, rate) = self.requests.iter().find(|(zone, _)| *zone.name == *name)?;
            Some(RequestLimit {
                zone: zone.clone(),
                rate: *rate,
                burst: limit.burst.saturating_mul(1000),
                delay: limit.delay.map_or(u64::MAX, |delay| delay.saturating_mul(1000)),
            })
        };
        let connection = |limit: &model::ConnectionLimit| {
            let name = limit.zone.value.as_str();
            let zone = self.connections.iter().find(|zone| *zone.name == *name)?;
            Some(ConnectionLimit { zone: zone.clone(), most: limit.number })
        };
        Some(Box::new(Limits {
            requests: limited(&limits.requests, request),
            connections: limited(&limits.connections, connection),
        }))
    }
}

fn limited<L, M>(limited: &model::Limited<L>, live: impl FnMut(&L) -> Option<M>) -> Limited<M> {
    Limited {
        limits: limited.limits.iter().filter_map(live).collect(),
        status: StatusCode::from_u16(limited.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        level: level(limited.level),
        dry_run: limited.dry_run,
    }
}
