//! `status` and `stub_status`: how the proxy is, for who may see it.

use super::super::inherit::Place;
use super::super::model::Status;
use super::super::parse::Statement;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says};

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "status",
        means: "Ours: answers with what the proxy counts. `json`: everything, listeners, upstreams \
                with their servers, tunnels and the process. `prometheus`: the same as metrics, in \
                OpenMetrics where `Accept` asks for that. `page`: the same for people, live; with `?json`, \
                or where `Accept` asks for it, JSON.",
        contexts: &[Context::Location],
        arity: Arity::ONE,
        block: false,
        effect: Effect::Place(status),
        example: "status json;",
    },
    Directive {
        name: "stub_status",
        means: "Answers with the counts of client connections, in nginx's words.",
        contexts: &[Context::Server, Context::Location],
        arity: Arity(0, 1),
        block: false,
        effect: Effect::Place(|_, place, _| {
            answer(place, Status::Stub);
            Ok(())
        }),
        example: "stub_status;",
    },
];

fn status(_: &mut Walk, place: &mut Place, statement: &Statement) -> Done {
    let status = match statement.arg(0).value.as_str() {
        "json" => Status::Json,
        "prometheus" => Status::Prometheus,
        "page" => Status::Page,
        _ => {
            let words = "knows \"json\", \"prometheus\" and \"page\"";
            return Err(argument_says(statement, words));
        }
    };
    answer(place, status);
    Ok(())
}

/// As in nginx, what is said last answers.
fn answer(place: &mut Place, status: Status) {
    place.status = Some(status);
    place.proxy_pass = None;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Loader, Problem};

    fn load(location: &str) -> Result<Config, Problem> {
        let text = format!("events {{}} http {{ server {{ location / {{ {location} }} }} }}");
        Loader::new().load_text("here", &text)
    }

    #[test]
    fn what_is_said_last_answers() {
        let says = |location: &str| {
            let http = load(location).unwrap().http.unwrap();
            let settings = &http.servers[0].locations[0].settings;
            (settings.status, settings.proxy_pass.is_some())
        };
        let pass = "proxy_pass http://127.0.0.1:1;";
        assert_eq!(says(&format!("{pass} stub_status;")), (Some(Status::Stub), false));
        assert_eq!(says(&format!("status json; {pass}")), (None, true));
        assert_eq!(says("status page; status prometheus;"), (Some(Status::Prometheus), false));
    }

    #[test]
    fn other_words_are_not_known() {
        let problem = load("status html;").unwrap_err();
        let words = "\"status\" directive knows \"json\", \"prometheus\" and \"page\"";
        assert_eq!(problem.message(), words);
    }
}
