//! How clients are served, made live.

use super::site::Builder;
use crate::config::Problem;
use crate::config::model::{self, Linger};
use crate::http::{Amount, Endings, HeadRules, Pace};

pub(super) fn head_rules(heads: &model::Heads) -> HeadRules {
    let model::Heads { first, number, large, fields, ignore_invalid, underscores } = *heads;
    HeadRules { first, number, large, fields, ignore_invalid, underscores }
}

pub(super) fn endings(endings: &model::Endings) -> Endings {
    Endings {
        lingers: endings.linger != Linger::Never,
        always: endings.linger == Linger::Always,
        linger_time: endings.linger_time,
        linger_timeout: endings.linger_timeout,
        not_for_msie6: endings.not_for_msie6,
        not_for_safari: endings.not_for_safari,
    }
}

impl Builder<'_, '_> {
    /// `limit_rate` and `limit_rate_after`
    pub(super) fn pace(&self, pace: &model::Pace) -> Result<Option<Box<Pace>>, Problem> {
        let none =
            |amount: &Option<model::Amount>| matches!(amount, None | Some(model::Amount::Fixed(0)));
        if none(&pace.rate) && none(&pace.after) {
            return Ok(None);
        }
        let amount = |amount: &Option<model::Amount>| match amount {
            None => Ok(Amount::Fixed(0)),
            Some(amount) => self.amount(amount),
        };
        Ok(Some(Box::new(Pace { rate: amount(&pace.rate)?, after: amount(&pace.after)? })))
    }

    fn amount(&self, amount: &model::Amount) -> Result<Amount, Problem> {
        Ok(match amount {
            model::Amount::Fixed(bytes) => Amount::Fixed(*bytes),
            model::Amount::Text(text) => Amount::Text(self.template(text)?),
        })
    }
}
