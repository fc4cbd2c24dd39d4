//! Which server and which location a request belongs to, and what its variables are worth.
//!
//! - [`uri`]: the request target: decoded, its dot segments resolved, split at the query.
//! - [`host`]: the Host field: checked, lower-cased, its port split off.
//! - [`server`]: the virtual server for a host; [`location`]: the location for a path.
//! - [`template`]: texts with `$variables`; [`variable`]: what they can name; [`names`]: how a name
//!   is found, once, when the configuration is made live; [`map`]: nginx's `map`;
//!   [`split`]: its `split_clients`; [`geo`]: its `geo`.
//! - [`script`]: what rewrites a request, with [`condition`] and [`rewrite`]; [`allow`]: who may ask.
//! - [`regex`]: patterns and what they capture; [`lookup`]: one argument, one cookie.
//!
//! Nothing here does I/O, knows a connection or reads a clock. What a variable is worth in a request
//! comes through [`Values`], which the `http` room implements.

pub mod allow;
pub mod condition;
pub mod escape;
mod fact;
pub mod geo;
pub mod host;
pub mod location;
pub mod lookup;
pub mod map;
pub mod names;
pub mod regex;
pub mod rewrite;
pub mod script;
pub mod server;
pub mod split;
pub mod template;
pub mod uri;
pub mod variable;
mod wildcard;

pub use allow::{AccessList, Who};
pub use condition::{Condition, FileTest};
pub use fact::Fact;
pub use geo::{Geo, GeoSettings};
pub use location::{Found, Location, Locations, Pattern};
pub use map::{Map, MapSettings};
pub use names::{NameError, Names, Settable};
pub use regex::{Captures, Case, MatchError, Regex, RegexError};
pub use rewrite::Rewrite;
pub use script::{Ended, Script, Step, Subject};
pub use server::{ServerName, Servers};
pub use split::Split;
pub use template::{Part, Template, TemplateError};
pub use variable::{Values, Variable};
