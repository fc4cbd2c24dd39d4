//! A server's body, a `location`, and the blocks inside of one: what holds there.

use std::path::Path;

use super::super::model::{
    Condition, LimitExcept, Location, LocationPattern, ProxyPass, Settings, Status, Step, TryFiles,
};
use super::super::source::Spanned;
use super::Level;

/// A server's body or a `location` block: what holds in it, and the locations in it.
#[derive(Debug, Default)]
pub(in super::super) struct Place {
    /// `None` for the server's body, and for what stands inside of it or of a location.
    pub(in super::super) pattern: Option<Spanned<LocationPattern>>,
    pub(in super::super) within: Within,
    pub(in super::super) level: Level,
    pub(in super::super) proxy_pass: Option<ProxyPass>,
    pub(in super::super) status: Option<Status>,
    pub(in super::super) steps: Vec<StepDraft>,
    pub(in super::super) internal: bool,
    pub(in super::super) limit_except: Option<(Vec<String>, Box<Place>)>,
    pub(in super::super) try_files: Option<TryFiles>,
    pub(in super::super) locations: Vec<Place>,
}

/// What kind of block a place is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Within {
    /// `server` or `location`
    #[default]
    Itself,
    /// An `if` in a server.
    ServerIf,
    /// An `if` in a location.
    LocationIf,
    /// A `limit_except`.
    LimitExcept,
}

/// A directive of the rewrite module, as far as it was read.
#[derive(Debug)]
pub(in super::super) enum StepDraft {
    /// All but an `if`.
    Done(Step),
    /// An `if`.
    If(Condition, Box<Place>),
}

impl Place {
    /// `self.level` already has what the levels around it say.
    pub(super) fn finish(self, prefix: &Path) -> (Settings, Vec<Location>) {
        let mut settings = self.level.settle(prefix);
        settings.proxy_pass = self.proxy_pass;
        settings.status = self.status;
        settings.internal = self.internal;
        settings.try_files = self.try_files;
        let level = self.level;
        let (pass, status) = (settings.proxy_pass.clone(), settings.status);
        // What stands inside goes on with what answers in the location.
        let inside = |mut place: Place| {
            place.level.inherit(&level);
            let (mut settings, _) = place.finish(prefix);
            if settings.proxy_pass.is_none() {
                (settings.proxy_pass, settings.status) = (pass.clone(), status);
            }
            settings
        };
        settings.steps = finish_steps(self.steps, &inside);
        settings.limit_except = self.limit_except.map(|(methods, place)| {
            let settings = Box::new(inside(*place));
            LimitExcept { methods, settings }
        });
        let location = |mut place: Place| {
            place.level.inherit(&level);
            let pattern = place.pattern.take()?;
            let (settings, locations) = place.finish(prefix);
            Some(Location { pattern, settings, locations })
        };
        (settings, self.locations.into_iter().filter_map(location).collect())
    }
}

/// What an `if` says happens where it stands; what it sets holds from there on.
fn finish_steps(steps: Vec<StepDraft>, inside: &impl Fn(Place) -> Settings) -> Vec<Step> {
    let step = |draft| match draft {
        StepDraft::Done(step) => step,
        StepDraft::If(condition, place) => {
            let within = place.within;
            let mut settings = inside(*place);
            let steps = std::mem::take(&mut settings.steps);
            let settings = (within == Within::LocationIf).then(|| Box::new(settings));
            Step::If { condition, steps, settings }
        }
    };
    steps.into_iter().map(step).collect()
}
